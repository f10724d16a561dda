#include "interpolator.h"

#include <cmath>
#include <vector>

#include "simd.h"
#include "windowed_sinc.h"

namespace sustain {

namespace {

constexpr std::size_t kTaps = 2 * kInterpolatorReach;
constexpr std::size_t kPhases = 512;
constexpr double kBeta = 8.0;

/** One row of taps per phase, and one more so that the last phase has a neighbour. */
const std::vector<float>& tapsOfAllPhases() {
  static const std::vector<float> table = [] {
    std::vector<float> made((kPhases + 1) * kTaps);
    for (std::size_t p = 0; p <= kPhases; ++p) {
      const double fraction = static_cast<double>(p) / kPhases;
      double sum = 0.0;
      for (std::size_t t = 0; t < kTaps; ++t) {
        const double x = static_cast<double>(t) - (static_cast<double>(kInterpolatorReach) - 1.0) - fraction;
        const double tap = windowedSinc(x, static_cast<double>(kInterpolatorReach), kBeta);
        made[p * kTaps + t] = static_cast<float>(tap);
        sum += tap;
      }
      for (std::size_t t = 0; t < kTaps; ++t) made[p * kTaps + t] /= static_cast<float>(sum);
    }
    return made;
  }();
  return table;
}

}  // namespace

void interpolate(const float* interleaved, double start, double rate, float* out, std::size_t outFrames) {
  const std::vector<float>& table = tapsOfAllPhases();
  for (std::size_t i = 0; i < outFrames; ++i) {
    const double at = start + static_cast<double>(i) * rate;
    const double whole = std::floor(at);
    const double phase = (at - whole) * kPhases;
    const auto row = static_cast<std::size_t>(phase);
    const Float4 blend = splat4(static_cast<float>(phase - static_cast<double>(row)));
    const float* low = table.data() + row * kTaps;
    const float* high = low + kTaps;
    const float* from = interleaved + 2 * (static_cast<std::size_t>(whole) - kInterpolatorReach + 1);
    Float4 sum = splat4(0.0f);
    for (std::size_t t = 0; t < kTaps; t += 4) {
      const Float4 lowTaps = load4(low + t);
      const Float4 taps = lowTaps + blend * (load4(high + t) - lowTaps);
      sum += load4(from + 2 * t) * Float4{taps[0], taps[0], taps[1], taps[1]};
      sum += load4(from + 2 * t + 4) * Float4{taps[2], taps[2], taps[3], taps[3]};
    }
    out[2 * i] = sum[0] + sum[2];
    out[2 * i + 1] = sum[1] + sum[3];
  }
}

}  // namespace sustain
