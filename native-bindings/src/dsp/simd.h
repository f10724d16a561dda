#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/*
 * Before a function that much time is spent in: it is compiled for newer processors too, and the one that fits is taken
 * when it is loaded. It needs fewer instructions there for the very same arithmetic: nothing is fused, so the bits are the
 * same on all of them.
 */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define SUSTAIN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define SUSTAIN_WIDE
#elif defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
// The first name is one of Intel's processors only.
#define SUSTAIN_CLONES __attribute__((target_clones("arch=skylake-avx512", "avx2", "default")))
#else
#define SUSTAIN_CLONES
#endif

/** For what is called by a function that has clones, and has to become a part of each of them. */
#if defined(__GNUC__)
#define SUSTAIN_INSIDE inline __attribute__((always_inline))
#else
#define SUSTAIN_INSIDE inline
#endif

namespace sustain {

/*
 * Four floats at a time in the compiler's own vector types (GCC and Clang), which become SSE on x86-64 and NEON on
 * aarch64. Magnitudes are compared as integers: for floats of one sign the order of the bits is the order of the values.
 */
using Float4 = float __attribute__((vector_size(16)));
using Int4 = std::int32_t __attribute__((vector_size(16)));

/** Eight, which older processors take as twice four. They are handed on by reference: how by value differs between them. */
using Float8 = float __attribute__((vector_size(32)));
using Int8 = std::int32_t __attribute__((vector_size(32)));

inline Float4 load4(const float* from) {
  Float4 v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

/** Two floats, twice. */
inline Float4 loadPair(const float* from) {
  double both;
  std::memcpy(&both, from, sizeof both);
  const double pair __attribute__((vector_size(16))) = {both, both};
  return reinterpret_cast<Float4>(pair);
}

inline void store4(float* to, Float4 v) { std::memcpy(to, &v, sizeof v); }

/** The first two. */
inline void storePair(float* to, Float4 v) { std::memcpy(to, &v, 2 * sizeof *to); }

inline Float4 splat4(float value) { return Float4{value, value, value, value}; }

inline Int4 magnitudeBits(Float4 v) { return reinterpret_cast<Int4>(v) & 0x7fffffff; }

inline Float4 fromBits(Int4 bits) { return reinterpret_cast<Float4>(bits); }

inline Float4 magnitude(Float4 v) { return fromBits(magnitudeBits(v)); }

inline Int4 max4(Int4 a, Int4 b) { return a > b ? a : b; }

/** Four values by their places in `a` and behind it `b`; GCC before 12 lacks the builtin that Clang has. */
template <int First, int Second, int Third, int Fourth>
inline Float4 picked(Float4 a, Float4 b) {
#ifdef __clang__
  return __builtin_shufflevector(a, b, First, Second, Third, Fourth);
#else
  return __builtin_shuffle(a, b, Int4{First, Second, Third, Fourth});
#endif
}

/** The first, third.. of eight neighbours in two vectors. */
inline Float4 evensOf(Float4 low, Float4 high) { return picked<0, 2, 4, 6>(low, high); }

/** The second, fourth.. of eight neighbours in two vectors. */
inline Float4 oddsOf(Float4 low, Float4 high) { return picked<1, 3, 5, 7>(low, high); }

/** The first two of `a` and the first two of `b`. */
inline Float4 firstHalves(Float4 a, Float4 b) { return picked<0, 1, 4, 5>(a, b); }

/** The first two of `a` and the last two of `b`. */
inline Float4 outerHalves(Float4 a, Float4 b) { return picked<0, 1, 6, 7>(a, b); }

/** The last two of `a` and the last two of `b`. */
inline Float4 lastHalves(Float4 a, Float4 b) { return picked<2, 3, 6, 7>(a, b); }

/** Two vectors zipped: `a0 b0 a1 b1` of their first halves. */
inline Float4 zipFirst(Float4 a, Float4 b) { return picked<0, 4, 1, 5>(a, b); }

/** Two vectors zipped: `a2 b2 a3 b3` of their last halves. */
inline Float4 zipLast(Float4 a, Float4 b) { return picked<2, 6, 3, 7>(a, b); }

/** The first of each pair, twice. */
inline Float4 firstsOf(Float4 v) { return picked<0, 0, 2, 2>(v, v); }

/** The second of each pair, twice. */
inline Float4 secondsOf(Float4 v) { return picked<1, 1, 3, 3>(v, v); }

inline Float4 swappedPairs(Float4 v) { return picked<1, 0, 3, 2>(v, v); }

/** Whether eight lanes are one register on this processor, and the compiler knows how to put them together in it. */
inline bool hasWideVectors() {
#if defined(SUSTAIN_WIDE)
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
#else
  return false;
#endif
}

/** The halves of eight lanes: by a shuffle where they are `Wide`, else by way of memory, as they are two registers then. */
template <bool Wide>
SUSTAIN_INSIDE Float4 firstFour(const Float8& v) {
#if defined(SUSTAIN_WIDE)
  if constexpr (Wide) return __builtin_shufflevector(v, v, 0, 1, 2, 3);
#endif
  Float4 half;
  std::memcpy(&half, &v, sizeof half);
  return half;
}

template <bool Wide>
SUSTAIN_INSIDE Float4 lastFour(const Float8& v) {
#if defined(SUSTAIN_WIDE)
  if constexpr (Wide) return __builtin_shufflevector(v, v, 4, 5, 6, 7);
#endif
  Float4 halves[2];
  std::memcpy(halves, &v, sizeof v);
  return halves[1];
}

template <bool Wide>
SUSTAIN_INSIDE void joinFours(Float4 first, Float4 last, Float8& out) {
#if defined(SUSTAIN_WIDE)
  if constexpr (Wide) {
    out = __builtin_shufflevector(first, last, 0, 1, 2, 3, 4, 5, 6, 7);
    return;
  }
#endif
  const Float4 halves[2] = {first, last};
  std::memcpy(&out, halves, sizeof out);
}

/** Interleaved stereo, side by side. */
inline void splitSides(const float* interleaved, std::size_t frames, float* left, float* right) {
  std::size_t i = 0;
  for (; i + 4 <= frames; i += 4) {
    const Float4 low = load4(interleaved + 2 * i);
    const Float4 high = load4(interleaved + 2 * i + 4);
    store4(left + i, evensOf(low, high));
    store4(right + i, oddsOf(low, high));
  }
  for (; i < frames; ++i) {
    left[i] = interleaved[2 * i];
    right[i] = interleaved[2 * i + 1];
  }
}

inline Float4 select4(Int4 where, Float4 yes, Float4 no) { return where ? yes : no; }

inline Float4 least4(Float4 a, Float4 b) { return a < b ? a : b; }

inline Float4 most4(Float4 a, Float4 b) { return a > b ? a : b; }

inline float sumOf(Float4 v) { return (v[0] + v[1]) + (v[2] + v[3]); }

/** The first four and the last four of eight, added up. */
SUSTAIN_INSIDE Float4 sumOfHalves(const Float8& v) {
  Float4 halves[2];
  std::memcpy(halves, &v, sizeof v);
  return halves[0] + halves[1];
}

inline std::int32_t sumOf(Int4 v) { return (v[0] + v[1]) + (v[2] + v[3]); }

inline float largestOf(Int4 bits) {
  const std::int32_t a = bits[0] > bits[1] ? bits[0] : bits[1];
  const std::int32_t b = bits[2] > bits[3] ? bits[2] : bits[3];
  const std::int32_t largest = a > b ? a : b;
  float value;
  std::memcpy(&value, &largest, sizeof value);
  return value;
}

inline std::int32_t bitsOf(float value) {
  std::int32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace sustain
