#include "decimator.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "simd.h"

namespace sustain {

namespace {

constexpr double kWantedRateHz = 4000.0;
// Four filter taps for each frame that is dropped: -6 dB at a third of the new rate, so that fractions of a sample stay easy to interpolate.
constexpr int kTapsPerFactor = 4;

std::vector<float> lowPass(int factor) {
  const int count = kTapsPerFactor * factor;
  const double cutoff = 0.33 / factor;
  std::vector<float> taps(static_cast<std::size_t>(count));
  double sum = 0.0;
  for (int i = 0; i < count; ++i) {
    const double x = i - (count - 1) / 2.0;
    const double sinc = std::fabs(x) < 1e-9 ? 2.0 * cutoff : std::sin(2.0 * kPi * cutoff * x) / (kPi * x);
    const double window = 0.5 + 0.5 * std::cos(2.0 * kPi * x / (count + 1));
    taps[static_cast<std::size_t>(i)] = static_cast<float>(sinc * window);
    sum += sinc * window;
  }
  for (float& tap : taps) tap = static_cast<float>(tap / sum);
  return taps;
}

/** Every `factor`-th frame of what the filter makes of `count` of them; returns where the next one begins. */
SUSTAIN_CLONES
std::size_t filterEvery(std::size_t factor, const std::vector<float>& taps, const float* mixed, std::size_t count,
                        std::vector<float>& out) {
  std::size_t at = 0;
  for (; at + taps.size() <= count; at += factor) {
    const float* x = mixed + at;
    Float8 sum{};
    std::size_t k = 0;
    for (; k + 8 <= taps.size(); k += 8) {
      Float8 samples, eight;
      std::memcpy(&samples, x + k, sizeof samples);
      std::memcpy(&eight, taps.data() + k, sizeof eight);
      sum += samples * eight;
    }
    Float4 rest = sumOfHalves(sum);
    // The number of taps is a multiple of four.
    if (k < taps.size()) rest += load4(x + k) * load4(taps.data() + k);
    out.push_back(sumOf(rest));
  }
  return at;
}

}  // namespace

Decimator::Decimator(double sampleRateHz, int channels)
    : factor_(static_cast<int>(std::lround(sampleRateHz / kWantedRateHz))),
      rateHz_(sampleRateHz / factor_),
      channels_(channels),
      taps_(lowPass(factor_)) {
  const auto blockFrames = static_cast<std::size_t>(sampleRateHz / 10.0) + 2;
  mixed_.assign(blockFrames + 2 * taps_.size(), 0.0f);
  samples_.reserve(blockFrames / static_cast<std::size_t>(factor_) + 2);
  reset();
}

void Decimator::reset() {
  std::fill(mixed_.begin(), mixed_.end(), 0.0f);
  mixedCount_ = taps_.size() - 1;
  samples_.clear();
}

void Decimator::process(const Block& block) {
  float* target = mixed_.data() + mixedCount_;
  const auto frames = static_cast<std::size_t>(block.frames);
  if (channels_ == 1) {
    std::memcpy(target, block.channel[0], frames * sizeof(float));
  } else {
    for (std::size_t i = 0; i < frames; ++i) target[i] = block.channel[0][i] + 0.5f * block.channel[1][i];
  }
  mixedCount_ += frames;

  samples_.clear();
  const std::size_t at =
      filterEvery(static_cast<std::size_t>(factor_), taps_, mixed_.data(), mixedCount_, samples_);
  std::memmove(mixed_.data(), mixed_.data() + at, (mixedCount_ - at) * sizeof(float));
  mixedCount_ -= at;
}

}  // namespace sustain
