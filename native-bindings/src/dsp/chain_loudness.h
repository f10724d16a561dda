#pragma once

#include <array>
#include <cstdint>

#include "chain_settings.h"
#include "eight_lanes.h"
#include "tone.h"

namespace sustain {

/**
 * K-weighted energy (ITU-R BS.1770-5, Annex 1) of what comes in and of what goes out, side by side in single precision:
 * within 0.02 LU of the meter, at a quarter of its cost.
 */
class ChainLoudness {
 public:
  ChainLoudness();
  /** One chunk of each, interleaved stereo; what comes in goes through `input` first. */
  void observe(Tone& input, float* in, const float* out);
  /** Weighted mean square of the last chunk, both channels added. */
  double inEnergy() const { return newest(in_); }
  double outEnergy() const { return newest(out_); }
  double inMomentaryLufs() const { return lufsOver(in_, kMomentaryChunks); }
  double inShortTermLufs() const { return lufsOver(in_, kShortTermChunks); }
  double outMomentaryLufs() const { return lufsOver(out_, kMomentaryChunks); }
  double outShortTermLufs() const { return lufsOver(out_, kShortTermChunks); }

 private:
  static constexpr std::size_t kMomentaryChunks = 40;
  static constexpr std::size_t kShortTermChunks = 300;
  using Energies = std::array<double, kShortTermChunks>;
  /** What is on its way from one section to the next. */
  struct Wires {
    SectionWires input;
    Float4 weighIn{};
    Float4 shelved{};
  };
  template <std::size_t Sections, bool Wide>
  struct Way;
  template <std::size_t Sections, bool Wide>
  SUSTAIN_INSIDE void run(Tone& input, float* in, const float* out);
  template <bool Wide>
  SUSTAIN_INSIDE void runAll(Tone& input, float* in, const float* out);
  void observeWide(Tone& input, float* in, const float* out);
  double newest(const Energies& energies) const;
  double lufsOver(const Energies& energies, std::size_t chunks) const;

  /** The shelf for what comes in and what goes out, and the high-pass for both. */
  EightLanes weighting_;
  Energies in_{};
  Energies out_{};
  std::uint64_t chunks_ = 0;
};

}  // namespace sustain
