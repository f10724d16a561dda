#include "chain_loudness.h"

#include "k_weighting.h"
#include "units.h"

namespace sustain {

ChainLoudness::ChainLoudness() {
  const KWeightingCoefficients weighting = kWeightingFor(kChainRateHz);
  for (int pair = 0; pair < 4; ++pair) weighting_.set(pair, designOf(pair < 2 ? weighting.shelf : weighting.highPass));
}

/** A chunk on its way through all the sections, those of the input among them, a step for each frame. */
template <std::size_t Sections, bool Wide>
struct ChainLoudness::Way {
  static constexpr std::size_t kInputSteps = 2 * Sections;
  static constexpr std::size_t kSteps = kInputSteps + 2;

  SectionRow<Sections, Wide> input;
  EightLanes weighting;
  float* in;
  const float* out;
  Float4 sum{};

  SUSTAIN_INSIDE void step(Wires& wires, std::size_t at) {
    const Float4 next = at < kChunkFrames ? loadPair(in + 2 * at) : Float4{};
    Float4 weighIn = next;
    if constexpr (Sections > 0) {
      weighIn = wires.weighIn;
      wires.weighIn = input.step(wires.input, next);
      const std::size_t passed = at + 2 - kInputSteps;
      if (passed < kChunkFrames) storePair(in + 2 * passed, wires.weighIn);
    }
    const std::size_t heard = at - kInputSteps;
    const Float4 other = heard < kChunkFrames ? loadPair(out + 2 * heard) : Float4{};
    Float8 unweighted, weighted;
    joinFours<Wide>(firstHalves(weighIn, other), wires.shelved, unweighted);
    weighting.mixed(unweighted, weighted);
    wires.shelved = firstFour<Wide>(weighted);
    const Float4 energy = lastFour<Wide>(weighted);
    sum += energy * energy;
  }

  /** At the ends of a chunk not every section has a frame of it. */
  SUSTAIN_INSIDE void partialStep(Wires& wires, std::size_t at) {
    const SectionRow<Sections, Wide> inputBefore = input;
    const EightLanes weightingBefore = weighting;
    const Float4 sumBefore = sum;
    step(wires, at);
    constexpr auto kLate = static_cast<std::int32_t>(kInputSteps);
    input.restore(inputBefore, at);
    weighting.restore(weightingBefore, at, kLate + Int8{0, 0, 0, 0, 2, 2, 2, 2});
    if (at < kSteps) sum = sumBefore;
  }
};

template <std::size_t Sections, bool Wide>
void ChainLoudness::run(Tone& input, float* in, const float* out) {
  constexpr std::size_t kSteps = Way<Sections, Wide>::kSteps;
  constexpr std::size_t kPartFrames = 16;
  // Copies on both ways: what is handed to another function by its place has to be kept in memory all the time.
  const EightLanes before = input.lanes();
  Way<Sections, Wide> way{{before}, weighting_, in, out};
  Wires even, odd;
  double inSum = 0.0;
  double outSum = 0.0;
  for (std::size_t at = 0; at < kChunkFrames + kSteps; at += 2) {
    if (at >= kSteps && at + 1 < kChunkFrames) {
      way.step(even, at);
      way.step(odd, at + 1);
    } else {
      way.partialStep(even, at);
      way.partialStep(odd, at + 1);
    }
    if (at < kSteps || (at + 2 - kSteps) % kPartFrames != 0) continue;
    inSum += static_cast<double>(way.sum[0]) + static_cast<double>(way.sum[1]);
    outSum += static_cast<double>(way.sum[2]) + static_cast<double>(way.sum[3]);
    way.sum = Float4{};
  }
  const EightLanes after = way.input.lanes;
  input.keep(after);
  weighting_ = way.weighting;
  const std::size_t place = chunks_++ % kShortTermChunks;
  in_[place] = inSum / static_cast<double>(kChunkFrames);
  out_[place] = outSum / static_cast<double>(kChunkFrames);
}

template <bool Wide>
void ChainLoudness::runAll(Tone& input, float* in, const float* out) {
  switch (input.count()) {
    case 0: return run<0, Wide>(input, in, out);
    case 1: return run<1, Wide>(input, in, out);
    case 2: return run<2, Wide>(input, in, out);
    default: return run<3, Wide>(input, in, out);
  }
}

SUSTAIN_CLONES
void ChainLoudness::observeWide(Tone& input, float* in, const float* out) { runAll<true>(input, in, out); }

void ChainLoudness::observe(Tone& input, float* in, const float* out) {
  if (hasWideVectors()) return observeWide(input, in, out);
  runAll<false>(input, in, out);
}

double ChainLoudness::newest(const Energies& energies) const {
  return chunks_ == 0 ? 0.0 : energies[(chunks_ - 1) % kShortTermChunks];
}

double ChainLoudness::lufsOver(const Energies& energies, std::size_t chunks) const {
  if (chunks_ < chunks) return kUndefined;
  double sum = 0.0;
  for (std::size_t age = 1; age <= chunks; ++age) sum += energies[(chunks_ - age) % kShortTermChunks];
  return energyToLufs(sum / static_cast<double>(chunks));
}

}  // namespace sustain
