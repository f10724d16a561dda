#include "tone.h"

#include <cmath>

namespace sustain {

namespace {

constexpr double kButterworthQ = 0.70710678118654752;
/** An all-pass of the second order with this Q is two of the first. */
constexpr double kDoubleFirstOrderQ = 0.5;
/** Less than this is no change to be heard or paid for. */
constexpr double kLeastGainDb = 0.005;

}  // namespace

void Tone::add(const LaneDesign& design) { setAllLanes(sections_[count_++], design); }

EightLanes Tone::lanes() const {
  EightLanes lanes;
  for (std::size_t i = 0; i < count_; ++i) lanes.copyFrom(static_cast<int>(i), sections_[i]);
  return lanes;
}

void Tone::keep(const EightLanes& lanes) {
  for (std::size_t i = 0; i < count_; ++i) lanes.copyStateTo(static_cast<int>(i), sections_[i]);
}

namespace {

/** A chunk on its way through a row of sections, a step for each frame. */
template <std::size_t Sections, bool Wide>
struct Way {
  static constexpr std::size_t kSteps = 2 * (Sections - 1);
  SectionRow<Sections, Wide> row;
  float* interleaved;

  SUSTAIN_INSIDE void step(SectionWires& wires, std::size_t at) {
    storePair(interleaved + 2 * (at - kSteps), row.step(wires, loadPair(interleaved + 2 * at)));
  }

  /** At the ends of a chunk not every section has a frame of it. */
  SUSTAIN_INSIDE void partialStep(SectionWires& wires, std::size_t at) {
    const SectionRow<Sections, Wide> before = row;
    const Float4 passed = row.step(wires, at < kChunkFrames ? loadPair(interleaved + 2 * at) : Float4{});
    row.restore(before, at);
    if (at >= kSteps) storePair(interleaved + 2 * (at - kSteps), passed);
  }
};

}  // namespace

template <std::size_t Sections, bool Wide>
void Tone::run(float* interleaved) {
  constexpr std::size_t kSteps = Way<Sections, Wide>::kSteps;
  // Copies on both ways: what is handed to another function by its place has to be kept in memory all the time.
  const EightLanes before = lanes();
  Way<Sections, Wide> way{{before}, interleaved};
  SectionWires even, odd;
  for (std::size_t at = 0; at < kChunkFrames + kSteps; at += 2) {
    if (at >= kSteps && at + 1 < kChunkFrames) {
      way.step(even, at);
      way.step(odd, at + 1);
    } else {
      way.partialStep(even, at);
      way.partialStep(odd, at + 1);
    }
  }
  const EightLanes after = way.row.lanes;
  keep(after);
}

template <bool Wide>
void Tone::runAll(float* interleaved) {
  if (count_ == 1) {
    LaneFilter filter = sections_[0];
    for (std::size_t i = 0; i < 2 * kChunkFrames; i += 2) {
      storePair(interleaved + i, filter.mixed(loadPair(interleaved + i)));
    }
    sections_[0] = filter;
  }
  if (count_ == 2) run<2, Wide>(interleaved);
  if (count_ == 3) run<3, Wide>(interleaved);
}

SUSTAIN_CLONES
void Tone::processWide(float* interleaved) { runAll<true>(interleaved); }

void Tone::process(float* interleaved) {
  if (hasWideVectors()) return processWide(interleaved);
  runAll<false>(interleaved);
}

void configureInput(Tone& tone, const ChainSettings& settings) {
  tone.clear();
  if (settings.highPassOn) tone.add(highPassDesign(settings.highPassHz, kButterworthQ));
  if (!settings.rotatorOn) return;
  for (int i = 0; i < 2; ++i) tone.add(allPassDesign(settings.rotatorHz, kDoubleFirstOrderQ));
}

void configureEqualiser(Tone& tone, const ChainSettings& settings) {
  tone.clear();
  const auto& eq = settings.equaliser;
  if (!eq.on) return;
  if (std::fabs(eq.lowDb) >= kLeastGainDb) tone.add(lowShelfDesign(eq.lowHz, eq.lowDb));
  if (std::fabs(eq.presenceDb) >= kLeastGainDb) tone.add(bellDesign(eq.presenceHz, eq.presenceQ, eq.presenceDb));
  if (std::fabs(eq.highDb) >= kLeastGainDb) tone.add(highShelfDesign(eq.highHz, eq.highDb));
}

}  // namespace sustain
