#include "processor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "flush_denormals.h"

namespace sustain {

namespace {

/** +36 dBFS: what is beyond is no sound but an accident, and is taken as zero, as the meter does. */
constexpr float kLargestSample = 64.0f;

}  // namespace

Processor::Processor(const ChainSettings& settings) { chain_->configure(settings); }

void Processor::change(const ChainSettings& settings) {
  wanted_ = settings;
  changed_ = true;
}

std::size_t Processor::process(float* interleaved, std::size_t frames, ProcessorRing& ring) {
  const FlushDenormals flushed;
  std::size_t readings = 0;
  for (std::size_t left = 2 * frames; left > 0;) {
    const std::size_t taken = std::min(left, kChunkSamples - filled_);
    std::memcpy(in_->data() + filled_, interleaved, taken * sizeof(float));
    std::memcpy(interleaved, out_->data() + filled_, taken * sizeof(float));
    filled_ += taken;
    interleaved += taken;
    left -= taken;
    if (filled_ < kChunkSamples) break;
    filled_ = 0;
    processChunk();
    if (chunks_ % kReadingChunks != 0) continue;
    writeReading(ring);
    ++readings;
  }
  return readings;
}

void Processor::clean() {
  const std::int32_t largest = bitsOf(kLargestSample);
  const Int4 limit{largest, largest, largest, largest};
  Int4 bad{};
  for (std::size_t i = 0; i < kChunkSamples; i += 4) {
    const Float4 samples = load4(in_->data() + i);
    const Int4 isBad = magnitudeBits(samples) > limit;
    bad += isBad;
    store4(in_->data() + i, fromBits(reinterpret_cast<Int4>(samples) & ~isBad));
  }
  invalid_ -= sumOf(bad);
}

void Processor::processChunk() {
  clean();
  ++chunks_;
  if (changed_ && fadeLeft_ == 0) {
    changed_ = false;
    fadeLeft_ = kWarmChunks + kFadeChunks;
    next_ = std::make_unique<Chain>(*chain_);
    next_->configure(wanted_);
  }
  if (fadeLeft_ == 0) {
    chain_->process(in_->data());
    std::swap(in_, out_);
    return;
  }
  *out_ = *in_;
  other_ = *in_;
  chain_->process(out_->data());
  next_->process(other_.data());
  if (fadeLeft_ > kFadeChunks) {
    --fadeLeft_;
    return;
  }
  const float from = static_cast<float>(kFadeChunks - fadeLeft_) / static_cast<float>(kFadeChunks);
  const float step = 1.0f / static_cast<float>(kFadeChunks * kChunkFrames);
  for (std::size_t i = 0; i < kChunkSamples; ++i) {
    const float share = from + step * static_cast<float>(i / 2);
    (*out_)[i] += (other_[i] - (*out_)[i]) * share;
  }
  if (--fadeLeft_ == 0) chain_ = std::move(next_);
}

void Processor::writeReading(ProcessorRing& ring) {
  double* row = ring.rows + (ring.written++ % ring.capacity) * kProcessorFields;
  const ChainReading reading = chain_->takeReading();
  row[kProcessorSequence] = static_cast<double>(chunks_ / kReadingChunks);
  row[kProcessorEndSeconds] = static_cast<double>(chunks_) * kChunkSeconds;
  row[kInMomentaryLufs] = reading.inMomentaryLufs;
  row[kInShortTermLufs] = reading.inShortTermLufs;
  row[kOutMomentaryLufs] = reading.outMomentaryLufs;
  row[kOutShortTermLufs] = reading.outShortTermLufs;
  row[kLevellerGainDb] = reading.levellerGainDb;
  row[kMakeupGainDb] = reading.makeupGainDb;
  row[kLimiterReductionDb] = reading.limiterReductionDb;
  row[kInvalidTotal] = invalid_;
  for (std::size_t band = 0; band < kBands; ++band) row[kBandReductionDb + band] = reading.bandReductionDb[band];
}

}  // namespace sustain
