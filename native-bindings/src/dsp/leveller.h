#pragma once

#include <array>
#include <cstdint>

#include "chain_settings.h"

namespace sustain {

/**
 * Brings programme to the loudness target. It follows the gated loudness of the last seconds (as BS.1770 gates: what is
 * 10 LU under the rest doesn't count), stands still in pauses, and looks one and a half seconds ahead: so far that louder programme is
 * told from a burst just when it begins to be heard, and that a slow swell is followed with half of the lag.
 */
class Leveller {
 public:
  static constexpr std::size_t kLookAheadChunks = 150;

  void configure(const ChainSettings& settings);
  /** One chunk of interleaved stereo in place, coming out `kLookAheadChunks` later; `energy` is K-weighted. */
  void process(float* interleaved, double energy);
  /** K-weighted energy of the chunk that came out last. */
  double energyOut() const { return energyOut_; }
  /** True while what comes out is programme near the target: then the rest of the chain may be judged by it. */
  bool isSettled() const { return settled_; }
  double gainDb() const { return gainDb_ + guardDb_; }

 private:
  /** A burst is looked for so far ahead. */
  static constexpr std::size_t kGuardChunks = 20;
  static constexpr std::size_t kBlockChunks = 10;
  static constexpr std::size_t kMostBlocks = 300;
  void learn(double blockEnergy);
  double windowLufs() const;
  void move();
  void guard(double momentaryEnergy);

  ChainSettings settings_{};
  std::array<float, 2 * kChunkFrames * kLookAheadChunks> line_{};
  std::array<double, kLookAheadChunks> energies_{};
  std::array<double, kMostBlocks> blocks_{};
  std::array<double, 4> quarters_{};
  std::size_t windowBlocks_ = 1;
  std::uint64_t chunks_ = 0;
  std::uint64_t learnt_ = 0;
  std::uint64_t faint_ = 0;
  double blockSum_ = 0.0;
  bool paused_ = true;
  bool settled_ = false;
  double loudnessLufs_ = 0.0;
  double gainDb_ = 0.0;
  double guardDb_ = 0.0;
  float appliedGain_ = 1.0f;
  double energyOut_ = 0.0;
};

}  // namespace sustain
