#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd.h"
#include "windowed_sinc.h"

namespace sustain {

/** Taps for a point `fraction` of a sample after the middle of the filter, with unity gain at 0 Hz. */
template <std::size_t Taps>
std::array<double, Taps> tapsBetween(double fraction, double beta) {
  constexpr double kReach = Taps / 2;
  std::array<double, Taps> taps{};
  double sum = 0.0;
  for (std::size_t k = 0; k < Taps; ++k) {
    taps[k] = windowedSinc(static_cast<double>(k) - (kReach - 1.0) - fraction, kReach, beta);
    sum += taps[k];
  }
  for (double& tap : taps) tap /= sum;
  return taps;
}

/** The magnitude of sound at its quarter, half and three-quarter points between samples, for true peaks. */
template <std::size_t Pairs>
struct Between {
  /** Taps for the point in the middle, and the even and odd part of those for a quarter and three quarters. */
  std::array<Float8, Pairs> half{};
  std::array<Float8, Pairs> even{};
  std::array<Float8, Pairs> odd{};

  void designHalf(double beta) {
    const auto taps = tapsBetween<2 * Pairs>(0.5, beta);
    for (std::size_t k = 0; k < Pairs; ++k) half[k] = Float8{} + static_cast<float>(taps[k]);
  }

  void designQuarters(double beta) {
    const auto taps = tapsBetween<2 * Pairs>(0.25, beta);
    for (std::size_t k = 0; k < Pairs; ++k) {
      const std::size_t mirror = 2 * Pairs - 1 - k;
      even[k] = Float8{} + static_cast<float>((taps[k] + taps[mirror]) / 2.0);
      odd[k] = Float8{} + static_cast<float>((taps[k] - taps[mirror]) / 2.0);
    }
  }

  /** To what is largest behind each of eight frames; it reads `Pairs` - 1 frames before them, and `Pairs` behind. */
  SUSTAIN_INSIDE void raise(Int8& peak, const float* frame) const {
    const float* oldest = frame - (Pairs - 1);
    const float* newest = frame + Pairs;
    Float8 middle{}, evenSum{}, oddSum{};
    for (std::size_t k = 0; k < Pairs; ++k) {
      Float8 a, b;
      std::memcpy(&a, oldest + k, sizeof a);
      std::memcpy(&b, newest - k, sizeof b);
      middle += half[k] * (a + b);
      evenSum += even[k] * (a + b);
      oddSum += odd[k] * (a - b);
    }
    constexpr std::int32_t kMagnitude = 0x7fffffff;
    const Int8 middleBits = reinterpret_cast<Int8>(middle) & kMagnitude;
    peak = middleBits > peak ? middleBits : peak;
    // The quarter phases are even + odd and even - odd, so the larger magnitude of the two is the sum of theirs.
    const Int8 evenBits = reinterpret_cast<Int8>(evenSum) & kMagnitude;
    const Int8 oddBits = reinterpret_cast<Int8>(oddSum) & kMagnitude;
    const Int8 quarter = reinterpret_cast<Int8>(reinterpret_cast<Float8>(evenBits) + reinterpret_cast<Float8>(oddBits));
    peak = quarter > peak ? quarter : peak;
  }
};

}  // namespace sustain
