#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "units.h"
#include "waveform_history.h"

namespace sustain {

/** The repetition that is going on: nothing while periodSeconds is 0. */
struct Loop {
  double periodSeconds = 0.0;
  /** How long the sound has been the same as one period before, whatever a codec may have done to it. */
  double matchedSeconds = 0.0;
  /** How much of that was near-identical: anything less might be the bars of sequenced music. */
  double identicalSeconds = 0.0;
  /** Correlation of the waveform with itself one period before, a running mean over some ten seconds. */
  double similarity = 0.0;
  double repeats() const { return periodSeconds > 0.0 ? matchedSeconds / periodSeconds : 0.0; }
};

/**
 * Finds programme that repeats itself, with a period of 0.2 to 60 s, so exactly that only a machine can have done it.
 * Every two seconds the course of the level over the last four is looked for in the minute before; where it fits, the
 * waveform decides. Rhythm alone never does: the waveform has to be the same.
 */
class LoopFinder {
 public:
  explicit LoopFinder(double rateHz);
  /** `samples` are the decimated samples of one 100 ms block, `stepEnergies` its ten K-weighted mean squares. */
  void process(const std::vector<float>& samples, const std::array<double, kStepsPerBlock>& stepEnergies);
  void reset();
  const Loop& loop() const { return loop_; }
  /** Forgets the loop of now, not what was heard. */
  void dropLoop();

 private:
  static constexpr std::size_t kShortest = 3;
  static constexpr std::size_t kCandidates = 7;
  struct Candidate {
    int lagHops;
    float fit;
  };
  using Candidates = std::array<Candidate, kCandidates>;
  struct Matched {
    double seconds = 0.0;
    double identicalSeconds = 0.0;
  };
  void storeHops(const std::array<double, kStepsPerBlock>& stepEnergies);
  void evaluate();
  void follow();
  void search();
  bool levelMoves() const;
  /**
   * Lags at which the course of the level fits, shortest first; returns how many. They are the shortest ones, and those
   * that fit best of the rest: in sequenced programme the level fits at every beat.
   */
  std::size_t levelCandidates(Candidates& candidates) const;
  /** The exact lag near a candidate, in samples; 0 when the waveform is another. */
  double refine(int lagHops) const;
  /** Tries fractions of a sample on the quarter of a second that ends `endAgo` samples ago. */
  double refineFraction(double lag, std::int64_t endAgo) const;
  /** The shortest period of which `lag` is a multiple, and at which the waveform is as alike. */
  double shortestPeriod(double lag, double whole) const;
  Matched matchedSoFar(double lag) const;
  bool isSame(double lag, const Likeness& likeness) const;
  bool isUnmistakable(double lag) const;

  WaveformHistory waveform_;
  double samplesPerHop_;
  /** Level of each 20 ms hop in decibels, written twice, so that any stretch can be read in one piece. */
  std::vector<float> hops_;
  std::uint64_t hopCount_ = 0;
  std::uint64_t blockCount_ = 0;
  double lag_ = 0.0;
  int misses_ = 0;
  Loop loop_;
};

}  // namespace sustain
