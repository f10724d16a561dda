#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "chain.h"

namespace sustain {

/** Columns of a reading of the processor. JavaScript reads them by the same numbers: keep processor.ts in step. */
enum ProcessorField : std::size_t {
  kProcessorSequence,
  kProcessorEndSeconds,
  kInMomentaryLufs,
  kInShortTermLufs,
  kOutMomentaryLufs,
  kOutShortTermLufs,
  kLevellerGainDb,
  kMakeupGainDb,
  kLimiterReductionDb,
  kInvalidTotal,
  kBandReductionDb,
  kProcessorFields = kBandReductionDb + kBands
};

/** Rows of readings in memory that somebody else owns; the n-th reading (from 0) is in row n % capacity. */
struct ProcessorRing {
  double* rows = nullptr;
  std::size_t capacity = 0;
  std::uint64_t written = 0;
};

/**
 * The processing chain for sound of any lengths, at 48 kHz in stereo. It allocates nothing while its settings stay, and the same
 * sound gives the same bits whatever the pieces it comes in. New settings are faded to over 50 ms, both chains running; the
 * new one runs unheard for 150 ms before, until what a filter does when it is new has died away. Half a megabyte each, there is
 * a second one only as long as that.
 */
class Processor {
 public:
  static constexpr std::size_t kLatencyFrames = kChunkFrames + Chain::kLatencyFrames;

  explicit Processor(const ChainSettings& settings);
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;
  /** In place. Returns the number of readings, one for each 100 ms, that were written to `ring`. */
  std::size_t process(float* interleaved, std::size_t frames, ProcessorRing& ring);
  /** From the next 10 ms on; while one change is being faded to, only the last of those that follow is kept. */
  void change(const ChainSettings& settings);

 private:
  static constexpr std::size_t kChunkSamples = 2 * kChunkFrames;
  static constexpr std::size_t kFadeChunks = 5;
  static constexpr std::size_t kWarmChunks = 15;
  static constexpr std::size_t kReadingChunks = 10;
  void processChunk();
  void clean();
  void writeReading(ProcessorRing& ring);

  std::unique_ptr<Chain> chain_ = std::make_unique<Chain>();
  std::unique_ptr<Chain> next_;
  std::size_t fadeLeft_ = 0;
  ChainSettings wanted_{};
  bool changed_ = false;
  using Chunk = std::array<float, kChunkSamples>;
  Chunk first_{};
  Chunk second_{};
  Chunk other_{};
  Chunk* in_ = &first_;
  Chunk* out_ = &second_;
  std::size_t filled_ = 0;
  std::uint64_t chunks_ = 0;
  double invalid_ = 0.0;
};

}  // namespace sustain
