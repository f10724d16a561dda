#pragma once

#include <cstddef>

namespace sustain {

/** The strongest component of a short stretch of sound. */
struct StrongestPeak {
  double frequencyHz = 0.0;
  /** Share of the whole energy that lies within the peak, 0 to 1. */
  double share = 0.0;
};

/** Looks at the end of a block (at most 4096 frames) through a Hann window. Used about once a second, if at all. */
class Spectrum {
 public:
  Spectrum(double sampleRateHz, int blockFrames);
  StrongestPeak strongestPeak(const float* samples, int frames);

 private:
  double sampleRateHz_;
  std::size_t size_;
};

}  // namespace sustain
