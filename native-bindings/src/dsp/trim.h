#pragma once

#include <array>
#include <cstdint>

#include "chain_settings.h"

namespace sustain {

/**
 * Watches what really leaves: as much as the last half minute was louder than the target, the next one is meant to be
 * quieter, so that the loudness of any whole minute comes out right whatever the programme did. Slow, and never by much.
 */
class Trim {
 public:
  void configure(const ChainSettings& settings);
  /** K-weighted energy of one chunk that left. */
  void observe(double energy);
  double gainDb() const { return gainDb_; }

 private:
  static constexpr std::size_t kBlockChunks = 10;
  static constexpr std::size_t kBlocks = 300;
  double lufsOfBlocks() const;

  bool on_ = false;
  double targetLufs_ = 0.0;
  std::array<double, kBlocks> blocks_{};
  std::uint64_t chunks_ = 0;
  std::uint64_t learnt_ = 0;
  std::array<double, 4> quarters_{};
  double blockSum_ = 0.0;
  double biasDb_ = 0.0;
  double gainDb_ = 0.0;
};

}  // namespace sustain
