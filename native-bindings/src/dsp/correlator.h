#pragma once

#include <cstddef>
#include <vector>

namespace sustain {

/** Where a piece of one recording is found in another, at 48 kHz. */
struct Correlation {
  /** Too little sound in the piece, or a search in less than the piece: nothing is known. */
  bool heard = false;
  /** Frame of the haystack at which the needle begins. */
  std::ptrdiff_t offset = 0;
  /** Magnitude of the normalised correlation there, 0 to 1. */
  double peak = 0.0;
  bool inverted = false;
  /** The best other place, outside of the peak's own lobe, in the coarse search, relative to the coarse peak. */
  double runnerUp = 0.0;
};

/** Interleaved stereo mixed down; what is no number becomes silence. */
std::vector<float> monoOf(const float* interleaved, std::size_t frames);

/**
 * Searches `needle` in `haystack`, both of `monoOf`. First the whole haystack at an eighth of the rate by FFT, with the
 * bass taken down so that the peak is sharp; then the best places sample by sample. Every figure is a magnitude, so a leg
 * with its polarity inverted is found as well.
 */
Correlation correlate(const std::vector<float>& needle, const std::vector<float>& haystack);

}  // namespace sustain
