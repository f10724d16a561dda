#pragma once

#include <vector>

#include "block.h"

namespace sustain {

/**
 * A mono stream of about 4 kHz for looking at the waveform cheaply. Left counts twice as much as right, so that a
 * programme with an inverted side does not cancel out.
 */
class Decimator {
 public:
  Decimator(double sampleRateHz, int channels);
  /** Appends nothing elsewhere: the new samples are in samples() until the next call. */
  void process(const Block& block);
  void reset();
  const std::vector<float>& samples() const { return samples_; }
  double rateHz() const { return rateHz_; }

 private:
  int factor_;
  double rateHz_;
  int channels_;
  std::vector<float> taps_;
  /** Mixed frames not used up yet; the first taps_.size() - 1 are history. */
  std::vector<float> mixed_;
  std::size_t mixedCount_ = 0;
  std::vector<float> samples_;
};

}  // namespace sustain
