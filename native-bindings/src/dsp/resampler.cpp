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

using Float8 = float __attribute__((vector_size(32)));

/** As many frames as there are rows to come; every tap stands in its row twice, once for each channel. */
SUSTAIN_CLONES std::size_t filterFrames(const float* rows, std::size_t taps, std::size_t up, std::size_t down,
                                        const float* held, std::size_t have, std::size_t& phase, float* out,
                                        std::size_t& written) {
  std::size_t at = 0;
  std::size_t count = 0;
  std::size_t p = phase;
  while (at + taps <= have) {
    const float* row = rows + p * 2 * taps;
    const float* from = held + 2 * at;
    Float8 first = {};
    Float8 second = {};
    for (std::size_t t = 0; t < 2 * taps; t += 16) {
      Float8 a, b, x, y;
      std::memcpy(&a, row + t, sizeof a);
      std::memcpy(&b, row + t + 8, sizeof b);
      std::memcpy(&x, from + t, sizeof x);
      std::memcpy(&y, from + t + 8, sizeof y);
      first += a * x;
      second += b * y;
    }
    const Float8 sum = first + second;
    out[2 * count] = (sum[0] + sum[2]) + (sum[4] + sum[6]);
    out[2 * count + 1] = (sum[1] + sum[3]) + (sum[5] + sum[7]);
    ++count;
    p += down;
    at += p / up;
    p %= up;
  }
  phase = p;
  written = count;
  return at;
}

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
    rows.assign(up * 2 * taps, 0.0f);
    std::vector<double> row(used);
    for (std::size_t p = 0; p < up; ++p) {
      const double fraction = static_cast<double>(p) / static_cast<double>(up);
      double sum = 0.0;
      for (std::size_t t = 0; t < used; ++t) {
        const double x = static_cast<double>(t) - static_cast<double>(reach - 1) - fraction;
        row[t] = windowedSinc(x * scale, kHalfWidth, kBeta);
        sum += row[t];
      }
      for (std::size_t t = 0; t < used; ++t) {
        const auto tap = static_cast<float>(row[t] / sum);
        rows[(p * taps + t) * 2] = tap;
        rows[(p * taps + t) * 2 + 1] = tap;
      }
    }
  }
};

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
  held_.assign(2 * filter_->before, 0.0f);
}

void Resampler::goOn(std::size_t outputFrames) {
  if (filter_ != nullptr) phase_ = outputFrames % filter_->up * filter_->down % filter_->up;
}

void Resampler::process(const float* interleaved, std::size_t frames, std::vector<float>& out) {
  if (filter_ == nullptr) {
    out.insert(out.end(), interleaved, interleaved + 2 * frames);
    return;
  }
  const auto& [up, down, taps, before, rows] = *filter_;
  held_.insert(held_.end(), interleaved, interleaved + 2 * frames);
  const std::size_t have = held_.size() / 2;
  const std::size_t start = out.size();
  out.resize(start + 2 * (have * up / down + 2));
  std::size_t written = 0;
  const std::size_t at =
      filterFrames(rows.data(), taps, up, down, held_.data(), have, phase_, out.data() + start, written);
  out.resize(start + 2 * written);
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(2 * std::min(at, have)));
}

}  // namespace sustain
