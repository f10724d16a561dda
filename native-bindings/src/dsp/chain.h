#pragma once

#include <array>

#include "chain_loudness.h"
#include "chain_settings.h"
#include "compressor.h"
#include "leveller.h"
#include "limiter.h"
#include "makeup.h"
#include "tone.h"
#include "trim.h"

namespace sustain {

/** What the stages did, for a reading. Reductions are positive and the largest since the last reading. */
struct ChainReading {
  double inMomentaryLufs, inShortTermLufs;
  double outMomentaryLufs, outShortTermLufs;
  double levellerGainDb;
  double makeupGainDb;
  std::array<double, kBands> bandReductionDb;
  double limiterReductionDb;
};

/**
 * All stages in a row. A plain value: a copy of it carries on exactly where the original is, which is how settings change
 * without a click. Its latency is the same whatever is on.
 */
class Chain {
 public:
  static constexpr std::size_t kLatencyFrames = Leveller::kLookAheadChunks * kChunkFrames + Limiter::kDelayFrames;

  void configure(const ChainSettings& settings);
  /** One chunk of interleaved stereo, in place; every sample has to be finite. */
  void process(float* interleaved);
  ChainReading takeReading();

 private:
  ChainSettings settings_{};
  Tone input_;
  ChainLoudness loudness_;
  Leveller leveller_;
  Compressor compressor_;
  Tone equaliser_;
  Makeup makeup_;
  Trim trim_;
  float appliedMakeup_ = 1.0f;
  Limiter limiter_;
  std::array<float, 2 * kChunkFrames> lastOut_{};
};

}  // namespace sustain
