#pragma once

#include "between.h"
#include "block.h"
#include "levels.h"

namespace sustain {

/**
 * True peak as ITU-R BS.1770-5, Annex 2: four times oversampling, twice at 192 kHz. The interpolator is
 * a 16-tap Kaiser-windowed sinc per phase (flat within 0.1 dB to 0.42 of the rate, where the standard's example filter
 * ripples by 0.24 dB); the samples themselves are the phase at offset zero.
 */
class TruePeak {
 public:
  explicit TruePeak(double sampleRateHz);
  /** Largest magnitude between and at the samples of one channel, 1.0 = full scale. It looks 8 frames back. */
  double blockPeak(const float* samples, int frames, const ChannelLevels& levels) const;

 private:
  static constexpr int kPairs = 8;
  static constexpr int kTaps = 2 * kPairs;
  float segmentPeak(const float* samples) const;

  Between<kPairs> between_;
  /** No interpolated value exceeds the largest sample in reach times this (the largest sum of absolute taps). */
  float largestGain_ = 1.0f;
};

}  // namespace sustain
