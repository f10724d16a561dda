#include "block.h"

#include <algorithm>
#include <cmath>

#include "simd.h"

namespace sustain {

namespace {

// Nothing a decoder produces for real programme comes near +36 dBFS; beyond it float sums of squares lose meaning.
constexpr float kLargestSample = 64.0f;
// Denormal numbers slow the arithmetic down a hundredfold and lie far below any audible level.
constexpr float kSmallestSample = 1e-20f;

std::uint64_t stepBoundary(double sampleRateHz, std::uint64_t step) {
  const auto rate = static_cast<std::uint64_t>(sampleRateHz);
  return step * rate / 100;
}

int copyClean(const float* source, std::size_t stride, float* target, std::size_t count) {
  int invalid = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float sample = source[i * stride];
    const float magnitude = std::fabs(sample);
    const bool usable = magnitude <= kLargestSample;
    invalid += usable ? 0 : 1;
    target[i] = usable && magnitude >= kSmallestSample ? sample : 0.0f;
  }
  return invalid;
}

SUSTAIN_INSIDE Float4 clean(Float4 samples, Int4& invalid) {
  const Int4 bits = magnitudeBits(samples);
  // NaN and infinity have larger bit patterns than any number, so one comparison finds them too.
  const Int4 unusable = bits > bitsOf(kLargestSample);
  const Int4 tiny = bits < bitsOf(kSmallestSample);
  invalid -= unusable;
  return fromBits(reinterpret_cast<Int4>(samples) & ~(unusable | tiny));
}

SUSTAIN_CLONES
int copyCleanStereo(const float* source, float* left, float* right, std::size_t count) {
  Int4 invalid{};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const Float4 low = clean(load4(source + 2 * i), invalid);
    const Float4 high = clean(load4(source + 2 * i + 4), invalid);
    store4(left + i, evensOf(low, high));
    store4(right + i, oddsOf(low, high));
  }
  return sumOf(invalid) + copyClean(source + 2 * i, 2, left + i, count - i) +
         copyClean(source + 2 * i + 1, 2, right + i, count - i);
}

}  // namespace

BlockAssembler::BlockAssembler(double sampleRateHz, int channels) : sampleRateHz_(sampleRateHz) {
  const auto longest = static_cast<std::size_t>(std::ceil(sampleRateHz / 10.0)) + 1;
  // A multiple of 16 floats keeps every channel equally aligned.
  stride_ = (longest + kHistoryFrames + 15) / 16 * 16;
  samples_.assign(stride_ * static_cast<std::size_t>(channels), 0.0f);
  block_.channels = channels;
  for (int c = 0; c < channels; ++c) {
    block_.channel[static_cast<std::size_t>(c)] = samples_.data() + stride_ * static_cast<std::size_t>(c) + kHistoryFrames;
  }
  reset();
}

void BlockAssembler::reset() {
  std::fill(samples_.begin(), samples_.end(), 0.0f);
  blockIndex_ = 0;
  framesTaken_ = 0;
  block_.frames = 0;
  beginBlock();
}

void BlockAssembler::beginBlock() {
  for (int c = 0; c < block_.channels; ++c) {
    float* history = samples_.data() + stride_ * static_cast<std::size_t>(c);
    std::copy(history + block_.frames, history + block_.frames + kHistoryFrames, history);
  }
  const std::uint64_t start = stepBoundary(sampleRateHz_, blockIndex_ * kStepsPerBlock);
  for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
    block_.stepEnd[step] =
        static_cast<int>(stepBoundary(sampleRateHz_, blockIndex_ * kStepsPerBlock + step + 1) - start);
  }
  block_.frames = block_.stepEnd[kStepsPerBlock - 1];
  block_.invalidSamples = 0;
  filled_ = 0;
  ++blockIndex_;
}

std::size_t BlockAssembler::take(const float* interleaved, std::size_t frames) {
  if (blockReady()) beginBlock();
  const std::size_t count = std::min(frames, static_cast<std::size_t>(block_.frames - filled_));
  const auto channels = static_cast<std::size_t>(block_.channels);
  float* first = samples_.data() + kHistoryFrames + filled_;
  if (channels == 2) {
    block_.invalidSamples += copyCleanStereo(interleaved, first, first + stride_, count);
  } else {
    for (std::size_t c = 0; c < channels; ++c) {
      block_.invalidSamples += copyClean(interleaved + c, channels, first + stride_ * c, count);
    }
  }
  filled_ += static_cast<int>(count);
  framesTaken_ += count;
  return count;
}

}  // namespace sustain
