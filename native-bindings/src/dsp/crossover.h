#pragma once

#include <array>

#include "chain_settings.h"
#include "lane_filter.h"

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
 * minus low-pass, which is the same filter and half of the work; pairs of sections share one vector.
 */
class Crossover {
 public:
  void configure(const std::array<double, kBands - 1>& crossoverHz);
  /** One chunk of interleaved stereo. */
  void split(const float* interleaved, BandFrame* frames);

 private:
  /** What is handed from the first third of the tree to the second, and from the second to the last. */
  struct Trunk {
    Float4 passed;
  };
  struct Boughs {
    Float4 firstAll;
    Float4 fifthIn;
    Float4 thirdLow;
  };
  inline Trunk trunk(Float4 leftRight);
  inline Boughs boughs(const Trunk& in);
  inline BandFrame twigs(const Boughs& in);

  LaneFilter root1_, root2_, allLow3High1_;
  LaneFilter allLow4High3_, low1High3_;
  LaneFilter low1High4_, allMiddle4High4_;
};

}  // namespace sustain
