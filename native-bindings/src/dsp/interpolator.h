#pragma once

#include <cstddef>

namespace sustain {

/** Frames that have to lie before and behind every position that is asked for. */
constexpr std::size_t kInterpolatorReach = 16;

/**
 * Reads interleaved stereo at positions that lie between its frames: `out[i]` is the sound at `start + i * rate`, by a
 * Kaiser-windowed sinc of 32 taps. For rates within a percent of 1, where nothing has to be filtered away.
 * Positions must be within [kInterpolatorReach, frames - kInterpolatorReach).
 */
void interpolate(const float* interleaved, double start, double rate, float* out, std::size_t outFrames);

}  // namespace sustain
