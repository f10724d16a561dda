#include "levels.h"

#include <algorithm>
#include <cmath>

#include "simd.h"

namespace sustain {

namespace {

constexpr float kFullScale = 0.9999f;

/** Fills the peak of each segment and returns the largest. */
float segmentPeaks(const float* samples, int frames, std::vector<float>& peaks) {
  const int whole = frames / kSegmentFrames;
  float largest = 0.0f;
  for (int s = 0; s < whole; ++s) {
    const float* segment = samples + s * kSegmentFrames;
    Int4 peak = magnitudeBits(load4(segment));
    for (int i = 4; i < kSegmentFrames; i += 4) peak = max4(peak, magnitudeBits(load4(segment + i)));
    const float value = largestOf(peak);
    peaks[static_cast<std::size_t>(s)] = value;
    largest = std::max(largest, value);
  }
  float last = 0.0f;
  for (int i = whole * kSegmentFrames; i < frames; ++i) last = std::max(last, std::fabs(samples[i]));
  peaks[static_cast<std::size_t>(whole)] = last;
  return std::max(largest, last);
}

int countClipped(const float* samples, int frames) {
  int clipped = 0;
  for (int i = 0; i < frames; ++i) clipped += std::fabs(samples[i]) >= kFullScale ? 1 : 0;
  return clipped;
}

struct Sums {
  float sum;
  float squares;
};

Sums sumsOf(const float* samples, int count) {
  Float4 sum{};
  Float4 squares{};
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    const Float4 x = load4(samples + i);
    sum += x;
    squares += x * x;
  }
  Sums sums{sumOf(sum), sumOf(squares)};
  for (; i < count; ++i) {
    sums.sum += samples[i];
    sums.squares += samples[i] * samples[i];
  }
  return sums;
}

float productsOf(const float* left, const float* right, int count) {
  Float4 products{};
  int i = 0;
  for (; i + 4 <= count; i += 4) products += load4(left + i) * load4(right + i);
  float total = sumOf(products);
  for (; i < count; ++i) total += left[i] * right[i];
  return total;
}

}  // namespace

Levels::Levels(double sampleRateHz, int channels) : channels_(static_cast<std::size_t>(channels)) {
  const auto segments = static_cast<std::size_t>(sampleRateHz / 10.0 / kSegmentFrames) + 2;
  for (ChannelLevels& channel : channels_) channel.segmentPeak.assign(segments, 0.0f);
}

void Levels::process(const Block& block) {
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    ChannelLevels& levels = channels_[c];
    const float* samples = block.channel[c];
    double sum = 0.0;
    double squares = 0.0;
    int begin = 0;
    for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
      const Sums sums = sumsOf(samples + begin, block.stepEnd[step] - begin);
      begin = block.stepEnd[step];
      levels.sum[step] = sums.sum;
      levels.sumOfSquares[step] = sums.squares;
      sum += sums.sum;
      squares += sums.squares;
    }
    power_[c] = squares / block.frames;
    mean_[c] = sum / block.frames;
    levels.peak = segmentPeaks(samples, block.frames, levels.segmentPeak);
    levels.clippedSamples = levels.peak >= kFullScale ? countClipped(samples, block.frames) : 0;
  }
  crossSum_ = 0.0;
  if (channels_.size() < 2) return;
  int begin = 0;
  for (const int end : block.stepEnd) {
    crossSum_ += productsOf(block.channel[0] + begin, block.channel[1] + begin, end - begin);
    begin = end;
  }
}

double Levels::peak() const {
  double peak = 0.0;
  for (const ChannelLevels& levels : channels_) peak = std::max(peak, levels.peak);
  return peak;
}

int Levels::clippedSamples() const {
  int clipped = 0;
  for (const ChannelLevels& levels : channels_) clipped += levels.clippedSamples;
  return clipped;
}

double correlationOf(double leftSquares, double rightSquares, double products) {
  const double scale = std::sqrt(leftSquares * rightSquares);
  return scale > 1e-12 ? std::clamp(products / scale, -1.0, 1.0) : kUndefined;
}

}  // namespace sustain
