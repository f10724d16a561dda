#pragma once

#include <array>

#include "chain_settings.h"
#include "eight_lanes.h"

namespace sustain {

/** One frame in five bands, each a pair of left and right: the lanes of `low` are bands 1 and 2, of `middle` 3 and 4. */
struct BandFrame {
  Float4 low;
  Float4 middle;
  /** Band 5 in the last two lanes. */
  Float4 high;
};

/**
 * Linkwitz-Riley crossovers of the fourth order in a tree. Every band goes through the all-passes of the crossovers that
 * it doesn't meet, so the sum of the bands is an all-pass itself: flat in level. High-pass outputs are taken as all-pass
 * minus low-pass, which is the same filter and half of the work.
 */
class Crossover {
 public:
  void configure(const std::array<double, kBands - 1>& crossoverHz);
  /** One chunk of interleaved stereo. */
  void split(const float* interleaved, BandFrame* frames);

 private:
  /** What is on its way from one section to the next. */
  struct Wires {
    Float8 trunkIn{}, boughsIn{}, twigsIn{};
    Float4 rootAll{}, thirdAll{}, thirdLow{}, firstAll{}, low{}, topAll{};
  };
  /** How many steps a frame takes from the first section to the last. */
  static constexpr std::size_t kSteps = 12;
  template <bool Wide>
  inline BandFrame step(Wires& wires, Float4 next);
  template <bool Wide>
  inline void partialStep(Wires& wires, const float* interleaved, std::size_t at, BandFrame* out);
  template <bool Wide>
  inline void run(const float* interleaved, BandFrame* frames);
  void splitWide(const float* interleaved, BandFrame* frames);

  /** Both sections of the crossover in the middle; all-passes of the third, for what is below, and of the first. */
  EightLanes trunk_;
  /** All-passes of the fourth and the third; low-passes of the first and the third. */
  EightLanes boughs_;
  /** Low-passes of the first and the fourth; all-pass of the fourth for the middle, and its second low-pass. */
  EightLanes twigs_;
};

}  // namespace sustain
