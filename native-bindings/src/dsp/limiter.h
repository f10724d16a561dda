#pragma once

#include <array>
#include <cstdint>

#include "between.h"
#include "chain_settings.h"
#include "simd.h"

namespace sustain {

/** The least of the last `Length` values, each in constant time on average. */
template <std::size_t Length, std::size_t Places>
class SlidingLeast {
 public:
  float push(float value) {
    while (first_ != last_ && values_[(last_ - 1) % Places] >= value) --last_;
    values_[last_ % Places] = value;
    at_[last_ % Places] = now_;
    ++last_;
    while (at_[first_ % Places] + Length <= now_) ++first_;
    ++now_;
    return values_[first_ % Places];
  }

 private:
  static_assert(Places >= Length && (Places & (Places - 1)) == 0);
  std::array<float, Places> values_{};
  std::array<std::uint64_t, Places> at_{};
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t now_ = 0;
};

/**
 * A look-ahead limiter of true peaks: the magnitude between the samples is taken at four times the rate (ITU-R
 * BS.1770-5, Annex 2), by 24 taps per phase and by the 12 that many meters have. The gain is one for both channels and is computed for four frames at a time:
 * the least that any peak in reach asks for, let go by the release time, and smoothed over 5 ms by whole numbers, so that
 * it is at its least well before a peak comes out and nothing drifts. As it holds for 10 ms more, the gain stands still
 * within the wave of any sound over 32 Hz, and such a sound stays undistorted.
 */
class Limiter {
 public:
  static constexpr std::size_t kDelayFrames = 288;

  void configure(const ChainSettings& settings);
  /** One chunk of interleaved stereo, in place, amplified from `gainBefore` to `gainBehind` first. */
  void process(float* interleaved, float gainBefore, float gainBehind);
  /** By how much was turned down at most since the last call of `forgetReduction`, in dB. */
  double reductionDb() const;
  void forgetReduction() { leastGain_ = 1.0f; }

 private:
  static constexpr std::size_t kGroupFrames = 4;
  static constexpr std::size_t kGroups = kChunkFrames / kGroupFrames;
  static constexpr std::size_t kPairs = 12;
  static constexpr std::size_t kLineFrames = kDelayFrames + kChunkFrames;
  /** Interpolation wants twelve frames that are newer than its position. */
  static constexpr std::size_t kPeakFrame = kDelayFrames - kPairs;
  static constexpr std::size_t kReachGroups = kPairs / kGroupFrames;
  /** How far the gain that is computed for the newest peak runs ahead of the frame that comes out. */
  static constexpr std::size_t kAheadGroups = kPeakFrame / kGroupFrames;
  static constexpr std::size_t kFirstBox = 30;
  static constexpr std::size_t kSecondBox = 31;
  /** Gains are summed as whole numbers of this share. */
  static constexpr std::int64_t kOne = std::int64_t{1} << 30;
  static constexpr std::int64_t kFull = kOne * static_cast<std::int64_t>(kFirstBox * kSecondBox);
  /** It begins a little before what it is for, and holds on. */
  static constexpr std::size_t kHoldGroups = 190;

  void take(const float* interleaved, float gainBefore, float gainBehind);
  bool mayPass(std::size_t group) const;
  std::array<float, 2> peaksOf(std::size_t frame) const;
  float smoothed(float wanted);
  void give(float* interleaved, const float* gains);

  bool on_ = false;
  float ceiling_ = 1.0f;
  float release_ = 0.0f;
  template <std::size_t Pairs>
  void design(Between<Pairs>& between, double beta);
  template <std::size_t Pairs>
  void reach(const std::array<double, 2 * Pairs>& taps);
  Between<kPairs> sharp_{};
  Between<kPairs / 2> usual_{};
  /** By how much the largest sample of each group in reach can count at most between the four frames of one. */
  std::array<Float4, 2 * kReachGroups + 1> reach_{};
  std::array<float, kLineFrames> left_{};
  std::array<float, kLineFrames> right_{};
  std::array<float, kLineFrames / kGroupFrames> largest_{};
  SlidingLeast<kHoldGroups, 256> least_;
  float envelope_ = 1.0f;
  /** Begun as full boxes of ones by configure(). */
  std::array<std::int64_t, kFirstBox> firstBox_{};
  std::array<std::int64_t, kSecondBox> secondBox_{};
  std::int64_t firstSum_ = 0;
  std::int64_t secondSum_ = 0;
  std::size_t firstPlace_ = 0;
  std::size_t secondPlace_ = 0;
  bool begun_ = false;
  float appliedGain_ = 1.0f;
  float leastGain_ = 1.0f;
};

}  // namespace sustain
