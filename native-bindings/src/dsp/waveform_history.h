#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sustain {

/** How alike two stretches of a waveform are. */
struct Likeness {
  /** Correlation over the whole stretch, -1 to 1. */
  double whole = 0.0;
  /** Share of its pieces of 250 ms whose own correlation is high; pieces that are silent in both count as alike. */
  double alikePieces = 0.0;
  /** Correlation of the piece that is least alike. */
  double worstPiece = 0.0;
};

/**
 * The last minute of a decimated, pre-emphasised waveform in one byte per sample (sign, four bits of exponent, three of
 * mantissa: noise 29 dB under the signal at any level), and the comparison of stretches of it.
 */
class WaveformHistory {
 public:
  WaveformHistory(double rateHz, double seconds);
  void append(const std::vector<float>& samples);
  void reset();
  double rateHz() const { return rateHz_; }
  /** Samples that can be looked back at. */
  std::int64_t length() const;
  /**
   * Compares `count` samples (in pieces of 250 ms; the rest is left out) ending `endAgo` samples before now with those `lag` samples
   * earlier. The lag is taken to an eighth of a sample. Nothing is alike when the history doesn't reach that far.
   */
  Likeness compare(double lag, std::int64_t endAgo, std::int64_t count) const;
  /** The whole lag within `around` (at most 50 ms) of `middle` at which the 250 ms ending `endAgo` ago fit best; 0 when none fits. */
  std::int64_t bestLag(std::int64_t middle, std::int64_t around, std::int64_t endAgo) const;

 private:
  static constexpr int kPhases = 8;
  static constexpr int kTaps = 8;
  void copyAgo(std::int64_t oldestAgo, std::int64_t count, float* target) const;
  void copyDelayed(double lag, std::int64_t oldestAgo, std::int64_t count, float* target) const;

  double rateHz_;
  std::int64_t pieceSamples_;
  std::vector<std::uint8_t> ring_;
  std::uint64_t sampleCount_ = 0;
  float previous_ = 0.0f;
  std::array<float, 256> decoded_;
  std::array<std::array<float, kTaps>, kPhases> delay_;
  // Working memory of the comparisons, kept to stay clear of the allocator.
  mutable std::vector<float> recent_;
  mutable std::vector<float> earlier_;
  mutable std::vector<float> undelayed_;
};

}  // namespace sustain
