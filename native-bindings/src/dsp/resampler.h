#pragma once

#include <cstddef>
#include <vector>

namespace sustain {

/**
 * Brings interleaved stereo from one rate to another one, by a polyphase Kaiser-windowed sinc: flat to some nine tenths
 * of the lower Nyquist frequency, and over 80 dB down where it would fold back into what can be heard.
 */
class Resampler {
 public:
  Resampler(int fromHz, int toHz);
  /** Appends to `out` what is complete with these frames. */
  void process(const float* interleaved, std::size_t frames, std::vector<float>& out);

 private:
  std::size_t up_;
  std::size_t down_;
  std::size_t taps_;
  /** One row of taps per phase. */
  std::vector<float> table_;
  std::vector<float> held_;
  std::size_t phase_ = 0;
};

}  // namespace sustain
