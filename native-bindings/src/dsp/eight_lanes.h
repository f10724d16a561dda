#pragma once

#include <cstdint>

#include "chain_settings.h"
#include "lane_filter.h"

namespace sustain {

/**
 * Four second-order sections on left and right each, as LaneFilter computes them. They may stand one behind the other:
 * then each works on the frame that the one before it had two steps ago, so that no step waits for more than its own
 * states. How many steps a pair of lanes is late is its `late`; at both ends of a chunk some have no frame of it.
 */
struct EightLanes {
  Float8 c0{}, c1{}, c2{};
  Float8 m0{}, m1{}, m2{};
  Float8 state1{}, state2{};

  void set(int pair, const LaneDesign& design);
  void copyFrom(int pair, const LaneFilter& filter);
  void copyStateTo(int pair, LaneFilter& filter) const;

  /** Twice what LaneFilter calls the band and the low. */
  SUSTAIN_INSIDE void tick(const Float8& in, Float8& band, Float8& low) {
    const Float8 rest = in - state2;
    const Float8 next1 = c0 * state1 + c1 * rest;
    const Float8 next2 = (state2 + c1 * state1) + c2 * rest;
    band = next1 + state1;
    low = next2 + state2;
    state1 = next1;
    state2 = next2;
  }

  SUSTAIN_INSIDE void mixed(const Float8& in, Float8& out) {
    Float8 band, low;
    tick(in, band, low);
    out = (m0 * in + m1 * band) + m2 * low;
  }

  /** Takes back what was done to lanes that have no frame of the chunk in this step. */
  SUSTAIN_INSIDE void restore(const EightLanes& before, std::size_t step, const Int8& late) {
    const Int8 frame = static_cast<std::int32_t>(step) - late;
    const Int8 isInside = (frame >= 0) & (frame < static_cast<std::int32_t>(kChunkFrames));
    state1 = isInside ? state1 : before.state1;
    state2 = isInside ? state2 : before.state2;
  }
};

/** What is on its way from one section of a row to the next. */
struct SectionWires {
  Float4 first{}, last{};
};

/** Up to three sections one behind the other on left and right: what a step gives back is late by two for each but one. */
template <std::size_t Sections, bool Wide>
struct SectionRow {
  EightLanes lanes;

  SUSTAIN_INSIDE Float4 step(SectionWires& wires, Float4 next) {
    Float8 entering, left;
    joinFours<Wide>(firstHalves(next, wires.first), wires.last, entering);
    lanes.mixed(entering, left);
    wires.first = firstFour<Wide>(left);
    wires.last = lastHalves(wires.first, wires.first);
    return Sections == 1 ? wires.first : Sections == 2 ? wires.last : lastFour<Wide>(left);
  }

  SUSTAIN_INSIDE void restore(const SectionRow& before, std::size_t step) {
    lanes.restore(before.lanes, step, Int8{0, 0, 2, 2, 4, 4, 6, 6});
  }
};

}  // namespace sustain
