#include "eight_lanes.h"

namespace sustain {

void EightLanes::set(int pair, const LaneDesign& design) {
  for (int lane = 2 * pair; lane < 2 * pair + 2; ++lane) {
    c0[lane] = static_cast<float>(design.c0);
    c1[lane] = static_cast<float>(design.c1);
    c2[lane] = static_cast<float>(design.c2);
    m0[lane] = static_cast<float>(design.m0);
    m1[lane] = static_cast<float>(design.m1);
    m2[lane] = static_cast<float>(design.m2);
  }
}

void EightLanes::copyFrom(int pair, const LaneFilter& filter) {
  for (int side = 0; side < 2; ++side) {
    const int lane = 2 * pair + side;
    c0[lane] = filter.c0[side];
    c1[lane] = filter.c1[side];
    c2[lane] = filter.c2[side];
    m0[lane] = filter.m0[side];
    m1[lane] = filter.m1[side];
    m2[lane] = filter.m2[side];
    state1[lane] = filter.state1[side];
    state2[lane] = filter.state2[side];
  }
}

void EightLanes::copyStateTo(int pair, LaneFilter& filter) const {
  for (int lane = 0; lane < 4; ++lane) {
    filter.state1[lane] = state1[2 * pair + lane % 2];
    filter.state2[lane] = state2[2 * pair + lane % 2];
  }
}

}  // namespace sustain
