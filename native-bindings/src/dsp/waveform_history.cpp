#include "waveform_history.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "simd.h"
#include "units.h"

namespace sustain {

namespace {

constexpr float kPreEmphasis = 0.9f;
constexpr double kPieceSeconds = 0.25;
constexpr double kFurthestAroundSeconds = 0.05;
constexpr double kAlikePiece = 0.55;
// Mean square under which a piece is silent (-80 dBFS).
constexpr double kSilentPower = 1e-8;
// The exponents kept reach from -96 dB to 12 dB over full scale.
constexpr int kExponentBias = 127 - 14;

std::uint8_t encode(float x) {
  const std::int32_t bits = bitsOf(x);
  const int code = ((bits & 0x7fffffff) >> 20) - (kExponentBias << 3);
  return static_cast<std::uint8_t>(std::clamp(code, 0, 127) | (bits < 0 ? 128 : 0));
}

float decode(int code) {
  const int magnitude = code & 127;
  if (magnitude == 0) return 0.0f;
  // The middle of the interval that was rounded down.
  const std::int32_t bits = ((magnitude + (kExponentBias << 3)) << 20) | (1 << 19);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return (code & 128) != 0 ? -value : value;
}

float dot(const float* a, const float* b, std::int64_t count) {
  Float4 sum{};
  const std::int64_t vectors = count / 4 * 4;
  for (std::int64_t i = 0; i < vectors; i += 4) sum += load4(a + i) * load4(b + i);
  float total = sumOf(sum);
  for (std::int64_t i = vectors; i < count; ++i) total += a[i] * b[i];
  return total;
}

}  // namespace

WaveformHistory::WaveformHistory(double rateHz, double seconds)
    : rateHz_(rateHz),
      pieceSamples_(static_cast<std::int64_t>(rateHz * kPieceSeconds)),
      ring_(static_cast<std::size_t>(rateHz * seconds), 0),
      recent_(static_cast<std::size_t>(rateHz * (kPieceSeconds + 2.0 * kFurthestAroundSeconds)) + 64),
      earlier_(recent_.size()),
      undelayed_(recent_.size()) {
  for (std::size_t code = 0; code < decoded_.size(); ++code) decoded_[code] = decode(static_cast<int>(code));
  for (int phase = 0; phase < kPhases; ++phase) {
    auto& taps = delay_[static_cast<std::size_t>(phase)];
    double sum = 0.0;
    std::array<double, kTaps> exact{};
    for (int k = 0; k < kTaps; ++k) {
      // Tap k looks k - 4 samples past the wanted moment, which lies `phase` eighths before a sample.
      const double x = k - kTaps / 2 + static_cast<double>(phase) / kPhases;
      const double sinc = std::fabs(x) < 1e-9 ? 1.0 : std::sin(kPi * x) / (kPi * x);
      exact[static_cast<std::size_t>(k)] = sinc * (0.5 + 0.5 * std::cos(kPi * x / (kTaps / 2 + 0.5)));
      sum += exact[static_cast<std::size_t>(k)];
    }
    for (std::size_t k = 0; k < kTaps; ++k) taps[k] = static_cast<float>(exact[k] / sum);
  }
}

void WaveformHistory::reset() {
  std::fill(ring_.begin(), ring_.end(), std::uint8_t{0});
  sampleCount_ = 0;
  previous_ = 0.0f;
}

std::int64_t WaveformHistory::length() const {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(sampleCount_, ring_.size()));
}

void WaveformHistory::append(const std::vector<float>& samples) {
  std::size_t at = sampleCount_ % ring_.size();
  for (const float sample : samples) {
    ring_[at] = encode(sample - kPreEmphasis * previous_);
    previous_ = sample;
    if (++at == ring_.size()) at = 0;
  }
  sampleCount_ += samples.size();
}

void WaveformHistory::copyAgo(std::int64_t oldestAgo, std::int64_t count, float* target) const {
  const auto size = static_cast<std::int64_t>(ring_.size());
  auto at = static_cast<std::int64_t>(sampleCount_ % ring_.size()) - oldestAgo;
  if (at < 0) at += size;
  for (std::int64_t i = 0; i < count; ++i) {
    target[i] = decoded_[ring_[static_cast<std::size_t>(at)]];
    if (++at == size) at = 0;
  }
}

void WaveformHistory::copyDelayed(double lag, std::int64_t oldestAgo, std::int64_t count, float* target) const {
  const auto eighths = static_cast<std::int64_t>(std::llround(lag * kPhases));
  const std::int64_t whole = eighths / kPhases;
  const auto phase = static_cast<std::size_t>(eighths % kPhases);
  if (phase == 0) {
    copyAgo(oldestAgo + whole, count, target);
    return;
  }
  copyAgo(oldestAgo + whole + kTaps / 2, count + kTaps - 1, undelayed_.data());
  const auto& taps = delay_[phase];
  for (std::int64_t i = 0; i < count; i += 4) {
    Float4 sum{};
    for (std::size_t k = 0; k < kTaps; ++k) sum += taps[k] * load4(undelayed_.data() + i + k);
    store4(target + i, sum);
  }
}

Likeness WaveformHistory::compare(double lag, std::int64_t endAgo, std::int64_t count) const {
  const auto reach = endAgo + count + static_cast<std::int64_t>(std::ceil(lag)) + kTaps;
  if (!(lag > kTaps) || reach > length()) return {};
  double product = 0.0;
  double recentPower = 0.0;
  double earlierPower = 0.0;
  double worst = 1.0;
  int pieces = 0;
  int alike = 0;
  for (std::int64_t at = 0; at + pieceSamples_ <= count; at += pieceSamples_) {
    copyAgo(endAgo + count - at, pieceSamples_, recent_.data());
    copyDelayed(lag, endAgo + count - at, pieceSamples_, earlier_.data());
    const double ab = dot(recent_.data(), earlier_.data(), pieceSamples_);
    const double aa = dot(recent_.data(), recent_.data(), pieceSamples_);
    const double bb = dot(earlier_.data(), earlier_.data(), pieceSamples_);
    product += ab;
    recentPower += aa;
    earlierPower += bb;
    ++pieces;
    const double silent = kSilentPower * static_cast<double>(pieceSamples_);
    const bool bothSilent = aa < silent && bb < silent;
    const double scale = std::sqrt(aa * bb);
    const double own = bothSilent ? 1.0 : scale > 0.0 ? ab / scale : 0.0;
    worst = std::min(worst, own);
    if (own > kAlikePiece) ++alike;
  }
  const double scale = std::sqrt(recentPower * earlierPower);
  if (scale < 1e-9 || pieces == 0) return {};
  return {product / scale, static_cast<double>(alike) / pieces, worst};
}

std::int64_t WaveformHistory::bestLag(std::int64_t middle, std::int64_t around, std::int64_t endAgo) const {
  const std::int64_t count = pieceSamples_;
  if (static_cast<double>(around) > rateHz_ * kFurthestAroundSeconds || middle <= around || endAgo + count + middle + around > length()) return 0;
  copyAgo(endAgo + count, count, recent_.data());
  copyAgo(endAgo + count + middle + around, count + 2 * around, earlier_.data());
  std::int64_t best = 0;
  float bestProduct = 0.0f;
  for (std::int64_t shift = 0; shift <= 2 * around; ++shift) {
    const float product = dot(recent_.data(), earlier_.data() + shift, count);
    if (product > bestProduct) {
      bestProduct = product;
      best = shift;
    }
  }
  const float* fitting = earlier_.data() + best;
  const float scale = std::sqrt(dot(recent_.data(), recent_.data(), count) * dot(fitting, fitting, count));
  return bestProduct > kAlikePiece * scale ? middle + around - best : 0;
}

}  // namespace sustain
