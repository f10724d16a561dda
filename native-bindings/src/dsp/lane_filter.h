#pragma once

#include "simd.h"

namespace sustain {

/**
 * A second-order section as a state-variable filter with trapezoidal integrators (A. Simper, "Linear Trapezoidal
 * Integrated State Variable Filter", 2014), four signals at a time with coefficients of their own. In single precision it
 * keeps its accuracy at low frequencies, where a direct form loses it. The new states are computed from the old ones in
 * as few steps as there can be, as the next sample waits for them. The output is `m0 x + m1 band + m2 low`.
 */
struct LaneFilter {
  Float4 c0{}, c1{}, c2{};
  Float4 m0{}, m1{}, m2{};
  Float4 state1{}, state2{};

  /** Twice the two signals that every output is mixed from; `m1` and `m2` hold half of their share for that. */
  struct Taps {
    Float4 band;
    Float4 low;
  };

  inline Taps tick(Float4 x) {
    const Float4 rest = x - state2;
    const Float4 next1 = c0 * state1 + c1 * rest;
    const Float4 next2 = (state2 + c1 * state1) + c2 * rest;
    const Taps taps{next1 + state1, next2 + state2};
    state1 = next1;
    state2 = next2;
    return taps;
  }

  inline Float4 mixed(Float4 x) {
    const Taps taps = tick(x);
    return (m0 * x + m1 * taps.band) + m2 * taps.low;
  }
};

/** The coefficients of one lane of a section. */
struct LaneDesign {
  double c0, c1, c2;
  double m0, m1, m2;
};

LaneDesign highPassDesign(double cornerHz, double q);
/** Flat in level; turns the phase by 360 degrees in all, by 180 at the corner. */
LaneDesign allPassDesign(double cornerHz, double q);
LaneDesign bellDesign(double centreHz, double q, double gainDb);
LaneDesign lowShelfDesign(double cornerHz, double gainDb);
LaneDesign highShelfDesign(double cornerHz, double gainDb);

struct Biquad;
/** The same response as a direct form that came of the bilinear transform. */
LaneDesign designOf(const Biquad& section);

void setLane(LaneFilter& filter, int lane, const LaneDesign& design);
void setAllLanes(LaneFilter& filter, const LaneDesign& design);

}  // namespace sustain
