#include "resampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "simd.h"
#include "windowed_sinc.h"

namespace sustain {

namespace {

/** Zero crossings of the sinc on either side. */
constexpr double kHalfWidth = 32.0;
constexpr double kBeta = 8.0;
/** Of the lower of the two Nyquist frequencies. */
constexpr double kCutoff = 0.96;

}  // namespace

Resampler::Resampler(int fromHz, int toHz) {
  const int common = std::gcd(fromHz, toHz);
  up_ = static_cast<std::size_t>(toHz / common);
  down_ = static_cast<std::size_t>(fromHz / common);
  if (up_ == down_) return;
  const double scale = kCutoff * std::min(1.0, static_cast<double>(toHz) / fromHz);
  const auto reach = static_cast<std::size_t>(std::ceil(kHalfWidth / scale / 2.0)) * 2;
  taps_ = 2 * reach;
  table_.resize(up_ * taps_);
  for (std::size_t p = 0; p < up_; ++p) {
    const double fraction = static_cast<double>(p) / static_cast<double>(up_);
    double sum = 0.0;
    std::vector<double> row(taps_);
    for (std::size_t t = 0; t < taps_; ++t) {
      const double x = static_cast<double>(t) - static_cast<double>(reach - 1) - fraction;
      row[t] = windowedSinc(x * scale, kHalfWidth, kBeta);
      sum += row[t];
    }
    for (std::size_t t = 0; t < taps_; ++t) table_[p * taps_ + t] = static_cast<float>(row[t] / sum);
  }
  // Half a filter of silence before the first frame, so that the output is neither early nor late.
  held_.assign(2 * (reach - 1), 0.0f);
}

void Resampler::process(const float* interleaved, std::size_t frames, std::vector<float>& out) {
  if (up_ == down_) {
    out.insert(out.end(), interleaved, interleaved + 2 * frames);
    return;
  }
  held_.insert(held_.end(), interleaved, interleaved + 2 * frames);
  const std::size_t have = held_.size() / 2;
  std::size_t at = 0;
  while (at + taps_ <= have) {
    const float* taps = table_.data() + phase_ * taps_;
    const float* from = held_.data() + 2 * at;
    Float4 first = splat4(0.0f);
    Float4 second = splat4(0.0f);
    for (std::size_t t = 0; t < taps_; t += 4) {
      const Float4 four = load4(taps + t);
      first += load4(from + 2 * t) * zipFirst(four, four);
      second += load4(from + 2 * t + 4) * zipLast(four, four);
    }
    const Float4 sum = first + second;
    out.push_back(sum[0] + sum[2]);
    out.push_back(sum[1] + sum[3]);
    phase_ += down_;
    at += phase_ / up_;
    phase_ %= up_;
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(2 * std::min(at, have)));
}

}  // namespace sustain
