#include "true_peak.h"

#include <algorithm>
#include <cmath>

#include "simd.h"
#include "windowed_sinc.h"

namespace sustain {

namespace {

constexpr double kKaiserBeta = 4.0;

/** Taps for a point `fraction` of a sample after the middle of the filter, with unity gain at 0 Hz. */
std::array<double, 16> tapsFor(double fraction) {
  std::array<double, 16> taps{};
  double sum = 0.0;
  for (std::size_t k = 0; k < taps.size(); ++k) {
    taps[k] = windowedSinc(static_cast<double>(k) - 7.0 - fraction, 8.0, kKaiserBeta);
    sum += taps[k];
  }
  for (double& tap : taps) tap /= sum;
  return taps;
}

float absoluteSum(const std::array<double, 16>& taps) {
  double sum = 0.0;
  for (const double tap : taps) sum += std::fabs(tap);
  // The margin covers the rounding of the taps and sums in single precision.
  return static_cast<float>(sum * 1.0001);
}

}  // namespace

TruePeak::TruePeak(double sampleRateHz) : phases_(sampleRateHz < 192000.0 ? 3 : 1) {
  const auto half = tapsFor(0.5);
  const auto quarter = tapsFor(0.25);
  for (std::size_t k = 0; k < kPairs; ++k) {
    half_[k] = static_cast<float>(half[k]);
    even_[k] = static_cast<float>((quarter[k] + quarter[kTaps - 1 - k]) / 2.0);
    odd_[k] = static_cast<float>((quarter[k] - quarter[kTaps - 1 - k]) / 2.0);
  }
  largestGain_ = std::max(absoluteSum(half), absoluteSum(quarter));
}

float TruePeak::segmentPeak(const float* samples) const {
  Int4 peak{};
  for (int i = 0; i < kSegmentFrames; i += 4) {
    const float* oldest = samples + i - (kTaps - 1);
    const float* newest = samples + i;
    Float4 half{};
    Float4 even{};
    Float4 odd{};
    for (int k = 0; k < kPairs; ++k) {
      const auto tap = static_cast<std::size_t>(k);
      const Float4 a = load4(oldest + k);
      const Float4 b = load4(newest - k);
      half += half_[tap] * (a + b);
      if (phases_ == 1) continue;
      even += even_[tap] * (a + b);
      odd += odd_[tap] * (a - b);
    }
    peak = max4(peak, magnitudeBits(half));
    // The quarter phases are even + odd and even - odd, so the larger magnitude of the two is the sum of theirs.
    peak = max4(peak, magnitudeBits(magnitude(even) + magnitude(odd)));
  }
  return largestOf(peak);
}

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
