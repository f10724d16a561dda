#pragma once

#include "simd.h"

namespace sustain {

/*
 * Logarithm and power of four numbers at a time, by polynomials and nothing of the C library, so that every machine
 * comes to the same bits.
 */

/** Base 2, within 2e-6 for normal positive numbers. */
inline Float4 log2Of(Float4 x) {
  const Int4 bits = reinterpret_cast<Int4>(x);
  const Int4 exponent = (bits >> 23) - 127;
  const Float4 m = fromBits((bits & 0x007fffff) | 0x3f800000);
  // Chebyshev fit of log2(1 + t) / t over [0, 1].
  const Float4 t = m - 1.0f;
  Float4 p = splat4(0.02049035f);
  p = p * t - 0.09606626f;
  p = p * t + 0.21558854f;
  p = p * t - 0.33924778f;
  p = p * t + 0.47770593f;
  p = p * t - 0.72116273f;
  p = p * t + 1.44269326f;
  return __builtin_convertvector(exponent, Float4) + p * t;
}

/** Two to the power of x, for x within -126 and 126; relative error under 4e-7. */
inline Float4 exp2Of(Float4 x) {
  const Float4 bounded = least4(most4(x, splat4(-126.0f)), splat4(126.0f));
  // Rounds to the nearest whole number by pushing the fraction out of the mantissa.
  const Float4 magic = splat4(12582912.0f);
  const Float4 whole = (bounded + magic) - magic;
  const Float4 f = bounded - whole;
  // Chebyshev fit of (2^f - 1) / f over [-1/2, 1/2].
  Float4 p = splat4(0.00133909f);
  p = p * f + 0.00966637f;
  p = p * f + 0.05550357f;
  p = p * f + 0.24022349f;
  p = p * f + 0.69314719f;
  p = p * f + 1.0f;
  const Int4 exponent = (__builtin_convertvector(whole, Int4) + 127) << 23;
  return p * fromBits(exponent);
}

constexpr float kLog2PerDb = 0.16609640474436813f;
constexpr float kDbPerLog2OfPower = 3.0102999566398120f;

inline Float4 powerToDb4(Float4 power) { return kDbPerLog2OfPower * log2Of(most4(power, splat4(1e-20f))); }

inline Float4 dbToGain4(Float4 db) { return exp2Of(db * kLog2PerDb); }

}  // namespace sustain
