#include "levels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "simd.h"

namespace sustain {

namespace {

constexpr float kFullScale = 0.9999f;

SUSTAIN_INSIDE Int4 peakOf(const float* segment) {
  Int4 peak = magnitudeBits(load4(segment));
  for (int i = 4; i < kSegmentFrames; i += 4) peak = max4(peak, magnitudeBits(load4(segment + i)));
  return peak;
}

/** The larger of every second value, those of `a` and of `b` in turns. */
SUSTAIN_INSIDE Int4 zipLarger(Int4 a, Int4 b) {
  const auto x = reinterpret_cast<Float4>(a);
  const auto y = reinterpret_cast<Float4>(b);
  return max4(reinterpret_cast<Int4>(zipFirst(x, y)), reinterpret_cast<Int4>(zipLast(x, y)));
}

/** Fills the peak of each segment and returns the largest. */
SUSTAIN_CLONES
float segmentPeaks(const float* samples, int frames, float* peaks) {
  const int whole = frames / kSegmentFrames;
  Int4 highest{};
  int s = 0;
  for (; s + 4 <= whole; s += 4) {
    const float* segment = samples + s * kSegmentFrames;
    const Int4 first = zipLarger(peakOf(segment), peakOf(segment + 2 * kSegmentFrames));
    const Int4 second = zipLarger(peakOf(segment + kSegmentFrames), peakOf(segment + 3 * kSegmentFrames));
    const Int4 four = zipLarger(first, second);
    store4(peaks + s, fromBits(four));
    highest = max4(highest, four);
  }
  float largest = largestOf(highest);
  for (; s < whole; ++s) {
    peaks[s] = largestOf(peakOf(samples + s * kSegmentFrames));
    largest = std::max(largest, peaks[s]);
  }
  float last = 0.0f;
  for (int i = whole * kSegmentFrames; i < frames; ++i) last = std::max(last, std::fabs(samples[i]));
  peaks[whole] = last;
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

struct PairSums {
  Sums a, b;
  /** Of one times the other. */
  float products;
};

/** Of two channels in one go. */
SUSTAIN_CLONES
PairSums sumsOf(const float* a, const float* b, int count) {
  Float8 aSum{}, bSum{}, aSquares{}, bSquares{}, products{};
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    Float8 x, y;
    std::memcpy(&x, a + i, sizeof x);
    std::memcpy(&y, b + i, sizeof y);
    aSum += x;
    bSum += y;
    aSquares += x * x;
    bSquares += y * y;
    products += x * y;
  }
  PairSums sums{{sumOf(sumOfHalves(aSum)), sumOf(sumOfHalves(aSquares))},
                {sumOf(sumOfHalves(bSum)), sumOf(sumOfHalves(bSquares))},
                sumOf(sumOfHalves(products))};
  for (; i < count; ++i) {
    sums.a.sum += a[i];
    sums.b.sum += b[i];
    sums.a.squares += a[i] * a[i];
    sums.b.squares += b[i] * b[i];
    sums.products += a[i] * b[i];
  }
  return sums;
}

}  // namespace

Levels::Levels(double sampleRateHz, int channels) : channels_(static_cast<std::size_t>(channels)) {
  const auto segments = static_cast<std::size_t>(sampleRateHz / 10.0 / kSegmentFrames) + 2;
  for (ChannelLevels& channel : channels_) channel.segmentPeak.assign(segments, 0.0f);
}

void Levels::process(const Block& block) {
  for (std::size_t first = 0; first < channels_.size(); first += 2) addUp(block, first);
  if (channels_.size() < 2) crossSum_ = 0.0;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    ChannelLevels& levels = channels_[c];
    const auto sumOver = [](const std::array<double, kStepsPerBlock>& steps) {
      return std::accumulate(steps.begin(), steps.end(), 0.0);
    };
    power_[c] = sumOver(levels.sumOfSquares) / block.frames;
    mean_[c] = sumOver(levels.sum) / block.frames;
    levels.peak = segmentPeaks(block.channel[c], block.frames, levels.segmentPeak.data());
    levels.clippedSamples = levels.peak >= kFullScale ? countClipped(block.channel[c], block.frames) : 0;
  }
}

/** The sums of two channels, or of the last one where it has no neighbour. */
void Levels::addUp(const Block& block, std::size_t first) {
  const std::size_t second = std::min(first + 1, channels_.size() - 1);
  double products = 0.0;
  int begin = 0;
  for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
    const PairSums sums =
        sumsOf(block.channel[first] + begin, block.channel[second] + begin, block.stepEnd[step] - begin);
    begin = block.stepEnd[step];
    channels_[first].sum[step] = sums.a.sum;
    channels_[first].sumOfSquares[step] = sums.a.squares;
    channels_[second].sum[step] = sums.b.sum;
    channels_[second].sumOfSquares[step] = sums.b.squares;
    products += sums.products;
  }
  if (first == 0) crossSum_ = products;
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
