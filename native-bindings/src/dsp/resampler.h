#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace sustain {

/**
 * Brings interleaved stereo from one rate to another one, by a polyphase Kaiser-windowed sinc: flat to some nine tenths
 * of the lower Nyquist frequency, and over 80 dB down where it would fold back into what can be heard. All resamplers
 * between the same two rates share their filter, which is kept: MP3 has nine rates.
 */
class Resampler {
 public:
  Resampler(int fromHz, int toHz);
  /** Appends to `out` what is complete with these frames. */
  void process(const float* interleaved, std::size_t frames, std::vector<float>& out);

  /**
   * The next frame comes from where it would after `outputFrames` of output, for rates that rise: there as much is held
   * at any time, so that only the phase tells two streams of the same sound apart.
   */
  void goOn(std::size_t outputFrames);

 private:
  struct Filter;
  /** Left and right. */
  using Sides = std::array<std::vector<float>, 2>;
  static const Filter& filterFor(int fromHz, int toHz);

  /** None where the rates are the same. */
  const Filter* filter_ = nullptr;
  Sides held_;
  std::size_t phase_ = 0;
};

}  // namespace sustain
