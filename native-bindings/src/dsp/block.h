#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "units.h"

namespace sustain {

/** Frames of the previous block that stay readable in front of each channel, at negative indices. */
constexpr int kHistoryFrames = 16;

/** 100 ms of planar audio, divided into ten steps of 10 ms (the lengths differ by one frame when the rate needs it). */
struct Block {
  int channels = 0;
  int frames = 0;
  std::array<const float*, kMaxChannels> channel{};
  std::array<int, kStepsPerBlock> stepEnd{};
  /** Samples that were NaN, infinite or beyond +36 dBFS, and were taken as zero. */
  int invalidSamples = 0;
};

/** Cuts an interleaved stream of any piece lengths into blocks of exactly 100 ms. */
class BlockAssembler {
 public:
  BlockAssembler(double sampleRateHz, int channels);

  /**
   * Takes frames until a block is complete or the input ends; returns the number of frames taken.
   * When blockReady() is true afterwards, block() holds it until the next call of take().
   */
  std::size_t take(const float* interleaved, std::size_t frames);
  bool blockReady() const { return filled_ == block_.frames; }
  const Block& block() const { return block_; }
  /** Frames taken since construction or reset, complete blocks or not. */
  std::uint64_t framesTaken() const { return framesTaken_; }
  void reset();

 private:
  void beginBlock();

  double sampleRateHz_;
  std::size_t stride_;
  std::vector<float> samples_;
  Block block_;
  int filled_ = 0;
  std::uint64_t blockIndex_ = 0;
  std::uint64_t framesTaken_ = 0;
};

}  // namespace sustain
