#include "true_peak.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "simd.h"

namespace sustain {

namespace {

constexpr double kKaiserBeta = 4.0;
constexpr double kOnlyTwiceFromHz = 192000.0;

float absoluteSum(const std::array<double, 16>& taps) {
  double sum = 0.0;
  for (const double tap : taps) sum += std::fabs(tap);
  // The margin covers the rounding of the taps and sums in single precision.
  return static_cast<float>(sum * 1.0001);
}

}  // namespace

TruePeak::TruePeak(double sampleRateHz)
    : largestGain_(std::max(absoluteSum(tapsBetween<kTaps>(0.5, kKaiserBeta)),
                            absoluteSum(tapsBetween<kTaps>(0.25, kKaiserBeta)))) {
  between_.designHalf(kKaiserBeta);
  if (sampleRateHz < kOnlyTwiceFromHz) between_.designQuarters(kKaiserBeta);
}

SUSTAIN_INSIDE float TruePeak::segmentPeak(const float* samples) const {
  Int8 peak{};
  for (int i = 0; i < kSegmentFrames; i += 8) between_.raise(peak, samples + i - kPairs);
  std::array<Int4, 2> halves;
  std::memcpy(halves.data(), &peak, sizeof peak);
  return largestOf(max4(halves[0], halves[1]));
}

SUSTAIN_CLONES
double TruePeak::blockPeak(const float* samples, int frames, const ChannelLevels& levels) const {
  float peak = static_cast<float>(levels.peak);
  float before = 0.0f;
  for (int i = 1; i < kTaps; ++i) before = std::max(before, std::fabs(samples[-i]));
  for (int begin = 0, segment = 0; begin < frames; begin += kSegmentFrames, ++segment) {
    const float here = levels.segmentPeak[static_cast<std::size_t>(segment)];
    const float inReach = std::max(before, here);
    before = here;
    // Most of a block cannot reach its peak whatever the filter does with it, and need not be interpolated.
    if (inReach * largestGain_ <= peak) continue;
    // The last segment of a block may be short: it is looked at together with frames before it.
    const int end = std::min(begin + kSegmentFrames, frames);
    peak = std::max(peak, segmentPeak(samples + end - kSegmentFrames));
  }
  return peak;
}

}  // namespace sustain
