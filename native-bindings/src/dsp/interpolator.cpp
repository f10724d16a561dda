#include "interpolator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
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

/** Frames that are looked at side by side in one go. */
constexpr std::size_t kRoomFrames = 512;

struct Sides {
  std::array<float, kRoomFrames> left;
  std::array<float, kRoomFrames> right;
};

/** `count` frames from `start` on, a position in `sides` as in the sound that they are from `first` on. */
SUSTAIN_CLONES
void interpolateSides(const Sides& sides, std::size_t first, double start, double rate, float* out, std::size_t begin,
                      std::size_t count) {
  const float* table = tapsOfAllPhases().data();
  for (std::size_t i = begin; i < begin + count; ++i) {
    const double at = start + static_cast<double>(i) * rate;
    const double whole = std::floor(at);
    const double phase = (at - whole) * kPhases;
    const auto row = static_cast<std::size_t>(phase);
    const Float8 blend = Float8{} + static_cast<float>(phase - static_cast<double>(row));
    const float* low = table + row * kTaps;
    const float* high = low + kTaps;
    const std::size_t from = static_cast<std::size_t>(whole) - kInterpolatorReach + 1 - first;
    Float8 left{}, right{};
    for (std::size_t t = 0; t < kTaps; t += 8) {
      Float8 lowTaps, highTaps, x, y;
      std::memcpy(&lowTaps, low + t, sizeof lowTaps);
      std::memcpy(&highTaps, high + t, sizeof highTaps);
      std::memcpy(&x, sides.left.data() + from + t, sizeof x);
      std::memcpy(&y, sides.right.data() + from + t, sizeof y);
      const Float8 taps = lowTaps + blend * (highTaps - lowTaps);
      left += taps * x;
      right += taps * y;
    }
    const Float4 left4 = sumOfHalves(left);
    const Float4 right4 = sumOfHalves(right);
    const Float4 both = zipFirst(left4, right4) + zipLast(left4, right4);
    storePair(out + 2 * i, both + lastHalves(both, both));
  }
}

}  // namespace

void interpolate(const float* interleaved, double start, double rate, float* out, std::size_t outFrames) {
  const auto most = static_cast<std::size_t>(static_cast<double>(kRoomFrames - kTaps - 1) / rate);
  Sides sides;
  for (std::size_t begin = 0; begin < outFrames; begin += most) {
    const std::size_t count = std::min(most, outFrames - begin);
    const auto wholeOf = [&](std::size_t i) {
      return static_cast<std::size_t>(std::floor(start + static_cast<double>(i) * rate));
    };
    const std::size_t first = wholeOf(begin) - kInterpolatorReach + 1;
    const std::size_t end = wholeOf(begin + count - 1) + kInterpolatorReach + 1;
    splitSides(interleaved + 2 * first, end - first, sides.left.data(), sides.right.data());
    interpolateSides(sides, first, start, rate, out, begin, count);
  }
}

}  // namespace sustain
