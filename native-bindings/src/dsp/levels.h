#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "block.h"
#include "units.h"

namespace sustain {

/** Samples per segment of which the peak is kept; the true-peak search skips segments that cannot matter. */
constexpr int kSegmentFrames = 16;

struct ChannelLevels {
  /** Per 10 ms step: sums over the step's samples and their squares. */
  std::array<double, kStepsPerBlock> sum{};
  std::array<double, kStepsPerBlock> sumOfSquares{};
  /** Largest magnitude in the block, and in each run of 16 samples. */
  double peak = 0.0;
  std::vector<float> segmentPeak;
  /** Samples at full scale or beyond (0.9999, which is 32767 in 16 bits, decoder rounding allowed for). */
  int clippedSamples = 0;
};

/** Sums that every later figure is made of, taken in one pass over a block. */
class Levels {
 public:
  Levels(double sampleRateHz, int channels);
  void process(const Block& block);

  const ChannelLevels& channel(int index) const { return channels_[static_cast<std::size_t>(index)]; }
  /** Mean square of a channel over the block. */
  double power(int index) const { return power_[static_cast<std::size_t>(index)]; }
  double mean(int index) const { return mean_[static_cast<std::size_t>(index)]; }
  /** Sum over the block of left times right; 0 with one channel. */
  double crossSum() const { return crossSum_; }
  double peak() const;
  int clippedSamples() const;

 private:
  void addUp(const Block& block, std::size_t first);

  std::vector<ChannelLevels> channels_;
  std::array<double, kMaxChannels> power_{};
  std::array<double, kMaxChannels> mean_{};
  double crossSum_ = 0.0;
};

/** Correlation of left and right over sums of products: 1 in phase, -1 inverted, NaN when a side is silent. */
double correlationOf(double leftSquares, double rightSquares, double products);

}  // namespace sustain
