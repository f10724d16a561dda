#include "limiter.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "units.h"

namespace sustain {

namespace {

constexpr double kSharpBeta = 5.0;
/** Near the window of Hann that libebur128 has. */
constexpr double kUsualBeta = 5.5;
/** Meters interpolate a little differently from us, most of all near the end of the spectrum. */
constexpr double kMarginDb = 0.1;
constexpr float kFarUnder = 0.75f;

}  // namespace

void Limiter::configure(const ChainSettings& settings) {
  on_ = settings.limiterOn;
  ceiling_ = static_cast<float>(std::pow(10.0, (settings.ceilingDbtp - kMarginDb) / 20.0));
  const double groupSeconds = static_cast<double>(kGroupFrames) / kChainRateHz;
  release_ = static_cast<float>(1.0 - std::exp(-groupSeconds / (settings.limiterReleaseMs / 1000.0)));
  reach_.fill(Float4{});
  reach_[kReachGroups] = splat4(1.0f);
  design(sharp_, kSharpBeta);
  design(usual_, kUsualBeta);
  if (begun_) return;
  begun_ = true;
  firstBox_.fill(kOne);
  firstSum_ = kOne * static_cast<std::int64_t>(kFirstBox);
  secondBox_.fill(firstSum_);
  secondSum_ = kFull;
}

void Limiter::take(const float* interleaved, float gainBefore, float gainBehind) {
  constexpr std::size_t kKept = kDelayFrames;
  std::copy(left_.begin() + kChunkFrames, left_.end(), left_.begin());
  std::copy(right_.begin() + kChunkFrames, right_.end(), right_.begin());
  std::copy(largest_.begin() + kGroups, largest_.end(), largest_.begin());
  const bool isAmplified = gainBefore != 1.0f || gainBehind != 1.0f;
  const float step = (gainBehind - gainBefore) / static_cast<float>(kChunkFrames);
  Float4 gain = gainBefore + Float4{0.0f, step, 2.0f * step, 3.0f * step};
  for (std::size_t i = 0; i < kChunkFrames; i += 4) {
    const Float4 first = load4(interleaved + 2 * i);
    const Float4 second = load4(interleaved + 2 * i + 4);
    Float4 left = evensOf(first, second);
    Float4 right = oddsOf(first, second);
    if (isAmplified) {
      left *= gain;
      right *= gain;
      gain += 4.0f * step;
    }
    store4(left_.data() + kKept + i, left);
    store4(right_.data() + kKept + i, right);
    largest_[(kKept + i) / kGroupFrames] = largestOf(max4(magnitudeBits(left), magnitudeBits(right)));
  }
}

template <std::size_t Pairs>
void Limiter::design(Between<Pairs>& between, double beta) {
  between.designHalf(beta);
  between.designQuarters(beta);
  auto quarter = tapsBetween<2 * Pairs>(0.25, beta);
  reach<Pairs>(tapsBetween<2 * Pairs>(0.5, beta));
  reach<Pairs>(quarter);
  std::reverse(quarter.begin(), quarter.end());
  reach<Pairs>(quarter);
}

template <std::size_t Pairs>
void Limiter::reach(const std::array<double, 2 * Pairs>& taps) {
  // For the rounding of the taps and of sums in single precision.
  constexpr double kMargin = 1.0001;
  for (std::size_t frame = 0; frame < kGroupFrames; ++frame) {
    std::array<double, 2 * kReachGroups + 1> sums{};
    for (std::size_t k = 0; k < taps.size(); ++k) {
      sums[(frame + k + kPairs - (Pairs - 1)) / kGroupFrames] += kMargin * std::fabs(taps[k]);
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto lane = static_cast<int>(frame);
      reach_[i][lane] = std::max(reach_[i][lane], static_cast<float>(sums[i]));
    }
  }
}

/** Most groups cannot reach the ceiling whatever the filters do with them, and need not be interpolated. */
SUSTAIN_INSIDE bool Limiter::mayPass(std::size_t group) const {
  const float* oldest = largest_.data() + group - kReachGroups;
  Float4 most{};
  for (std::size_t i = 0; i < reach_.size(); ++i) most += reach_[i] * oldest[i];
  return largestOf(magnitudeBits(most)) > ceiling_;
}

/** Of two groups from a frame on: eight frames of a channel fit the widest vectors that are common. */
SUSTAIN_INSIDE std::array<float, 2> Limiter::peaksOf(std::size_t frame) const {
  Int8 peak{};
  for (const auto* line : {&left_, &right_}) {
    const float* from = line->data() + frame;
    Int8 here;
    std::memcpy(&here, from, sizeof here);
    here &= 0x7fffffff;
    peak = here > peak ? here : peak;
    sharp_.raise(peak, from);
  }
  std::array<Int4, 2> sharp;
  std::memcpy(sharp.data(), &peak, sizeof peak);
  std::array<float, 2> found{largestOf(sharp[0]), largestOf(sharp[1])};
  // Where the one finds next to nothing, the other has nothing to add.
  const float far = kFarUnder * ceiling_;
  if (found[0] < far && found[1] < far) return {};
  for (const auto* line : {&left_, &right_}) usual_.raise(peak, line->data() + frame);
  std::array<Int4, 2> all;
  std::memcpy(all.data(), &peak, sizeof peak);
  for (std::size_t i = 0; i < 2; ++i) found[i] = found[i] < far ? 0.0f : largestOf(all[i]);
  return found;
}

float Limiter::smoothed(float wanted) {
  // At rest all that is remembered are ones, and one more changes nothing.
  if (wanted == 1.0f && envelope_ == 1.0f && secondSum_ == kFull) return 1.0f;
  const float least = least_.push(wanted);
  envelope_ = least < envelope_ ? least : envelope_ + (least - envelope_) * release_;
  // So that it comes to an end, and quiet programme passes unchanged.
  if (envelope_ > 0.9998f && least == 1.0f) envelope_ = 1.0f;
  const auto share = static_cast<std::int64_t>(static_cast<double>(envelope_) * static_cast<double>(kOne));
  firstSum_ += share - firstBox_[firstPlace_];
  firstBox_[firstPlace_] = share;
  firstPlace_ = firstPlace_ + 1 == kFirstBox ? 0 : firstPlace_ + 1;
  secondSum_ += firstSum_ - secondBox_[secondPlace_];
  secondBox_[secondPlace_] = firstSum_;
  secondPlace_ = secondPlace_ + 1 == kSecondBox ? 0 : secondPlace_ + 1;
  return static_cast<float>(static_cast<double>(secondSum_) / static_cast<double>(kFull));
}

SUSTAIN_CLONES
void Limiter::process(float* interleaved, float gainBefore, float gainBehind) {
  take(interleaved, gainBefore, gainBehind);
  std::array<float, kGroups> gains;
  for (std::size_t group = 0; group < kGroups; group += 2) {
    const std::size_t at = kAheadGroups + group;
    std::array<float, 2> peaks{};
    if (mayPass(at) || mayPass(at + 1)) peaks = peaksOf(at * kGroupFrames);
    for (std::size_t i = 0; i < 2; ++i) gains[group + i] = smoothed(peaks[i] > ceiling_ ? ceiling_ / peaks[i] : 1.0f);
  }
  if (!on_) {
    gains.fill(1.0f);
    appliedGain_ = 1.0f;
  }
  give(interleaved, gains.data());
}

void Limiter::give(float* interleaved, const float* gains) {
  const Float4 shares{0.25f, 0.5f, 0.75f, 1.0f};
  for (std::size_t group = 0; group < kGroups; ++group) {
    const float next = gains[group];
    Float4 left = load4(left_.data() + group * kGroupFrames);
    Float4 right = load4(right_.data() + group * kGroupFrames);
    if (next != 1.0f || appliedGain_ != 1.0f) {
      const Float4 gain = appliedGain_ + (next - appliedGain_) * shares;
      left *= gain;
      right *= gain;
      leastGain_ = std::min(leastGain_, next);
    }
    store4(interleaved + 2 * group * kGroupFrames, zipFirst(left, right));
    store4(interleaved + 2 * group * kGroupFrames + 4, zipLast(left, right));
    appliedGain_ = next;
  }
}

double Limiter::reductionDb() const { return leastGain_ < 1.0f ? -amplitudeToDb(leastGain_) : 0.0; }

}  // namespace sustain
