#pragma once

#include <cstddef>

#include "simd.h"

namespace sustain {

/** What is infinite or no number at all becomes zero. */
inline void silenceNonNumbers(float* samples, std::size_t count) {
  constexpr std::int32_t kInfinite = 0x7f800000;
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const Float4 four = load4(samples + i);
    const Int4 isNumber = magnitudeBits(four) < kInfinite;
    store4(samples + i, fromBits(reinterpret_cast<Int4>(four) & isNumber));
  }
  for (; i < count; ++i) {
    if ((bitsOf(samples[i]) & 0x7fffffff) >= kInfinite) samples[i] = 0.0f;
  }
}

}  // namespace sustain
