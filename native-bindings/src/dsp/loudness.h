#pragma once

#include <array>
#include <cstdint>

#include "block.h"
#include "k_weighting.h"
#include "loudness_histogram.h"

namespace sustain {

/**
 * Momentary (400 ms), short-term (3 s) and integrated loudness and loudness range: ITU-R BS.1770-5 Annex 1, EBU Tech
 * 3341 and 3342. Momentary loudness is computed every 10 ms, so that a 400 ms burst anywhere is measured whole.
 */
class Loudness {
 public:
  Loudness(double sampleRateHz, int channels);
  void process(const Block& block);
  void reset();
  /** Starts integrated loudness and loudness range again, leaving momentary and short-term running. */
  void resetIntegrated();

  /** LUFS at the end of the last block; minus infinity in silence, NaN before 400 ms have been heard. */
  double momentaryLufs() const;
  /** Highest of the ten momentary values within the last block. */
  double momentaryMaxLufs() const { return momentaryMaxLufs_; }
  /** LUFS at the end of the last block; NaN before 3 s have been heard. */
  double shortTermLufs() const;
  /** Refreshed once a second and on refreshIntegrated(); NaN before the first whole gating block. */
  double integratedLufs() const { return integratedLufs_; }
  double rangeLu() const { return rangeLu_; }
  double highestMomentaryLufs() const { return highestMomentaryLufs_; }
  double highestShortTermLufs() const { return highestShortTermLufs_; }
  void refreshIntegrated();
  /** Channel-weighted K-weighted mean square of each 10 ms step of the last block. */
  const std::array<double, kStepsPerBlock>& stepEnergies() const { return stepEnergies_; }

 private:
  static constexpr std::size_t kMomentarySteps = 40;
  static constexpr std::size_t kShortTermBlocks = 30;
  struct Energy {
    double sum = 0.0;
    double frames = 0.0;
  };
  double momentaryEnergy() const;
  double shortTermEnergy() const;
  void weigh(const Block& block, std::array<Energy, kStepsPerBlock>& steps);

  KWeighting weighting_;
  WeightedEnergies weighted_;
  std::array<double, kMaxChannels> channelWeight_{};
  std::array<Energy, kMomentarySteps> steps_{};
  std::array<Energy, kShortTermBlocks> blocks_{};
  std::array<double, kStepsPerBlock> stepEnergies_{};
  std::uint64_t stepCount_ = 0;
  std::uint64_t blockCount_ = 0;
  std::uint64_t integrationBlocks_ = 0;
  LoudnessHistogram gatingBlocks_;
  LoudnessHistogram shortTerms_;
  double momentaryMaxLufs_ = kUndefined;
  double integratedLufs_ = kUndefined;
  double rangeLu_ = kUndefined;
  double highestMomentaryLufs_ = kMinusInfinity;
  double highestShortTermLufs_ = kMinusInfinity;
};

}  // namespace sustain
