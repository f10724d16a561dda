#include "resampler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include "simd.h"
#include "windowed_sinc.h"

namespace sustain {

namespace {

/** Zero crossings of the sinc on either side. */
constexpr double kHalfWidth = 32.0;
constexpr double kBeta = 8.0;
/** Of the lower of the two Nyquist frequencies. */
constexpr double kCutoff = 0.96;

/** Taps that are taken in one go; rows are filled up to a multiple of it with nothing. */
constexpr std::size_t kTapsAtOnce = 8;

/** How many frames of one phase are made at a time: each tap is fetched once for all, and no sum waits for another. */
constexpr std::size_t kFramesAtOnce = 2;

}  // namespace

struct Resampler::Filter {
  std::size_t up;
  std::size_t down;
  std::size_t taps;
  /** Frames of silence before the first one, so that the output is neither early nor late. */
  std::size_t before;
  /** One row for each phase. */
  std::vector<float> rows;

  Filter(int fromHz, int toHz) {
    const int common = std::gcd(fromHz, toHz);
    up = static_cast<std::size_t>(toHz / common);
    down = static_cast<std::size_t>(fromHz / common);
    const double scale = kCutoff * std::min(1.0, static_cast<double>(toHz) / fromHz);
    const auto reach = static_cast<std::size_t>(std::ceil(kHalfWidth / scale / 2.0)) * 2;
    const std::size_t used = 2 * reach;
    taps = (used + kTapsAtOnce - 1) / kTapsAtOnce * kTapsAtOnce;
    before = reach - 1;
    rows.assign(up * taps, 0.0f);
    std::vector<double> row(used);
    for (std::size_t p = 0; p < up; ++p) {
      const double fraction = static_cast<double>(p) / static_cast<double>(up);
      double sum = 0.0;
      for (std::size_t t = 0; t < used; ++t) {
        const double x = static_cast<double>(t) - static_cast<double>(reach - 1) - fraction;
        row[t] = windowedSinc(x * scale, kHalfWidth, kBeta);
        sum += row[t];
      }
      for (std::size_t t = 0; t < used; ++t) rows[p * taps + t] = static_cast<float>(row[t] / sum);
    }
  }

  /** How many frames come out of so many. */
  std::size_t count(std::size_t have, std::size_t phase) const {
    return have < taps ? 0 : ((have - taps + 1) * up - phase + down - 1) / down;
  }

  /** `count` frames from `phase` on. */
  void apply(const Sides& held, std::size_t phase, float* out, std::size_t count) const;

 private:
  template <std::size_t Frames>
  SUSTAIN_INSIDE void make(const float* row, const float* left, const float* right, float* out) const;
};

/** Frames of one phase, which lie `down` apart in what came in and `up` apart in what goes out. */
template <std::size_t Frames>
SUSTAIN_INSIDE void Resampler::Filter::make(const float* row, const float* left, const float* right, float* out) const {
  Float8 l[Frames] = {}, r[Frames] = {};
  for (std::size_t t = 0; t < taps; t += kTapsAtOnce) {
    Float8 tap, x, y;
    std::memcpy(&tap, row + t, sizeof tap);
    for (std::size_t i = 0; i < Frames; ++i) {
      std::memcpy(&x, left + i * down + t, sizeof x);
      std::memcpy(&y, right + i * down + t, sizeof y);
      l[i] += tap * x;
      r[i] += tap * y;
    }
  }
  for (std::size_t i = 0; i < Frames; ++i) {
    const Float4 left4 = sumOfHalves(l[i]);
    const Float4 right4 = sumOfHalves(r[i]);
    const Float4 both = zipFirst(left4, right4) + zipLast(left4, right4);
    storePair(out + 2 * i * up, both + lastHalves(both, both));
  }
}

SUSTAIN_CLONES
void Resampler::Filter::apply(const Sides& held, std::size_t phase, float* out, std::size_t count) const {
  for (std::size_t first = 0; first < std::min(count, up); ++first) {
    const std::size_t place = phase + first * down;
    const float* row = rows.data() + place % up * taps;
    const float* left = held[0].data() + place / up;
    const float* right = held[1].data() + place / up;
    std::size_t n = first;
    for (; n + (kFramesAtOnce - 1) * up < count; n += kFramesAtOnce * up) {
      make<kFramesAtOnce>(row, left, right, out + 2 * n);
      left += kFramesAtOnce * down;
      right += kFramesAtOnce * down;
    }
    for (; n < count; n += up) {
      make<1>(row, left, right, out + 2 * n);
      left += down;
      right += down;
    }
  }
}

const Resampler::Filter& Resampler::filterFor(int fromHz, int toHz) {
  static std::mutex mutex;
  static std::map<std::pair<int, int>, std::unique_ptr<const Filter>> known;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& filter = known[{fromHz, toHz}];
  if (filter == nullptr) filter = std::make_unique<const Filter>(fromHz, toHz);
  return *filter;
}

Resampler::Resampler(int fromHz, int toHz) {
  if (fromHz == toHz) return;
  filter_ = &filterFor(fromHz, toHz);
  for (std::vector<float>& side : held_) side.assign(filter_->before, 0.0f);
}

void Resampler::goOn(std::size_t outputFrames) {
  if (filter_ != nullptr) phase_ = outputFrames % filter_->up * filter_->down % filter_->up;
}

void Resampler::process(const float* interleaved, std::size_t frames, std::vector<float>& out) {
  if (filter_ == nullptr) {
    out.insert(out.end(), interleaved, interleaved + 2 * frames);
    return;
  }
  const std::size_t before = held_[0].size();
  const std::size_t have = before + frames;
  for (std::vector<float>& side : held_) side.resize(have);
  splitSides(interleaved, frames, held_[0].data() + before, held_[1].data() + before);
  const std::size_t count = filter_->count(have, phase_);
  const std::size_t start = out.size();
  out.resize(start + 2 * count);
  filter_->apply(held_, phase_, out.data() + start, count);
  const std::size_t place = phase_ + count * filter_->down;
  phase_ = place % filter_->up;
  const auto used = static_cast<std::ptrdiff_t>(place / filter_->up);
  for (std::vector<float>& side : held_) side.erase(side.begin(), side.begin() + used);
}

}  // namespace sustain
