#pragma once

#include <array>

#include "chain_settings.h"
#include "crossover.h"

namespace sustain {

/**
 * Five bands, each turned down by how far its level is over its threshold. Levels and gains are computed once for 48
 * frames and the gain runs straight between, left and right alike.
 */
class Compressor {
 public:
  void configure(const ChainSettings& settings);
  /** One chunk of interleaved stereo, in place. */
  void process(float* interleaved);
  /** By how much a band was turned down at most since the last call of `forgetReductions`, in dB, its gain left out. */
  double reductionDb(std::size_t band) const;
  void forgetReductions();

 private:
  static constexpr std::size_t kGroupFrames = 48;
  /** A number for each band, the last three lanes being idle. */
  struct PerBand {
    Float4 first{};
    Float4 last{};
  };
  PerBand groupPower(Float4 low, Float4 middle, Float4 high) const;
  void follow(const PerBand& power);
  void weigh(const BandFrame* group, const PerBand& before, float* interleaved) const;
  static Float4 followed(Float4 power, Float4& smooth, Float4& reduction, const Float4 (&law)[7]);

  Crossover crossover_;
  /** Rows of `law`: threshold, half knee, slope, attack, release, averaging, gain. */
  Float4 firstLaw_[7]{};
  Float4 lastLaw_[7]{};
  PerBand smoothPower_;
  PerBand reductionDb_;
  PerBand mostReductionDb_;
  PerBand gain_{splat4(1.0f), splat4(1.0f)};
};

}  // namespace sustain
