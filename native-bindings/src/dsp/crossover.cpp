#include "crossover.h"

namespace sustain {

namespace {

constexpr double kButterworthQ = 0.70710678118654752;
// A low-pass output is twice the signal after one section and four times after two.
constexpr float kTwice = 0.25f;

}  // namespace

void Crossover::configure(const std::array<double, kBands - 1>& crossoverHz) {
  const auto [first, second, third, fourth] = crossoverHz;
  // Only their poles and the gain of their all-pass outputs are used.
  const auto set = [](EightLanes& lanes, const std::array<double, 4>& cornersHz) {
    for (int pair = 0; pair < 4; ++pair) {
      lanes.set(pair, allPassDesign(cornersHz[static_cast<std::size_t>(pair)], kButterworthQ));
    }
  };
  set(trunk_, {second, second, third, first});
  set(boughs_, {fourth, third, first, third});
  set(twigs_, {first, fourth, fourth, fourth});
}

/** `next` comes in, and the frame that came in `kSteps` ago comes out; `wires` are those of two steps ago. */
template <bool Wide>
SUSTAIN_INSIDE BandFrame Crossover::step(Wires& wires, Float4 next) {
  joinFours<Wide>(firstHalves(next, firstFour<Wide>(wires.trunkIn)), lastFour<Wide>(wires.trunkIn), wires.trunkIn);
  Float8 trunkBand, trunkLow, boughsBand, boughsLow, twigsBand, twigsLow;
  trunk_.tick(wires.trunkIn, trunkBand, trunkLow);
  boughs_.tick(wires.boughsIn, boughsBand, boughsLow);
  twigs_.tick(wires.twigsIn, twigsBand, twigsLow);
  const Float8 trunkAll = wires.trunkIn + trunk_.m1 * trunkBand;
  const Float8 boughsAll = wires.boughsIn + boughs_.m1 * boughsBand;
  const Float8 twigsAll = wires.twigsIn + twigs_.m1 * twigsBand;

  const Float4 middleAll = lastFour<Wide>(twigsAll);
  const Float4 fourthLow = kTwice * lastFour<Wide>(twigsLow);
  const BandFrame out{wires.low, outerHalves(middleAll, fourthLow), wires.topAll - fourthLow};
  const Float4 fifthLow = firstFour<Wide>(twigsLow);
  const Float4 firstLow = kTwice * fifthLow;
  wires.low = firstHalves(firstLow, wires.firstAll - firstLow);
  wires.topAll = firstFour<Wide>(twigsAll);
  const Float4 sixthIn = lastHalves(wires.thirdLow, fifthLow);

  const Float4 fourthSectionLow = lastFour<Wide>(boughsLow);
  wires.thirdLow = kTwice * fourthSectionLow;
  wires.firstAll = lastFour<Wide>(boughsAll);
  joinFours<Wide>(outerHalves(fourthSectionLow, wires.thirdAll - wires.thirdLow), sixthIn, wires.twigsIn);
  wires.thirdAll = firstFour<Wide>(boughsAll);
  joinFours<Wide>(lastFour<Wide>(trunkAll), outerHalves(wires.thirdAll, firstFour<Wide>(boughsLow)), wires.boughsIn);

  // What is below the middle crossover in the first half, what is above it in the second.
  const Float4 rootLow = firstFour<Wide>(trunkLow);
  const Float4 low = kTwice * lastHalves(rootLow, rootLow);
  joinFours<Wide>(rootLow, firstHalves(low, wires.rootAll - low), wires.trunkIn);
  wires.rootAll = firstFour<Wide>(trunkAll);
  return out;
}

/** At the ends of a chunk not every section has a frame of it. */
template <bool Wide>
SUSTAIN_INSIDE void Crossover::partialStep(Wires& wires, const float* interleaved, std::size_t at, BandFrame* out) {
  const EightLanes trunk = trunk_, boughs = boughs_, twigs = twigs_;
  const BandFrame frame = step<Wide>(wires, at < kChunkFrames ? loadPair(interleaved + 2 * at) : Float4{});
  trunk_.restore(trunk, at, Int8{0, 0, 2, 2, 4, 4, 4, 4});
  boughs_.restore(boughs, at, Int8{6, 6, 6, 6, 8, 8, 8, 8});
  twigs_.restore(twigs, at, Int8{10, 10, 10, 10, 12, 12, 12, 12});
  if (at >= kSteps) out[at - kSteps] = frame;
}

template <bool Wide>
SUSTAIN_INSIDE void Crossover::run(const float* interleaved, BandFrame* frames) {
  Crossover tree = *this;
  Wires even, odd;
  for (std::size_t i = 0; i < kSteps; i += 2) {
    tree.partialStep<Wide>(even, interleaved, i, frames);
    tree.partialStep<Wide>(odd, interleaved, i + 1, frames);
  }
  for (std::size_t i = kSteps; i < kChunkFrames; i += 2) {
    frames[i - kSteps] = tree.step<Wide>(even, loadPair(interleaved + 2 * i));
    frames[i + 1 - kSteps] = tree.step<Wide>(odd, loadPair(interleaved + 2 * i + 2));
  }
  for (std::size_t i = kChunkFrames; i < kChunkFrames + kSteps; i += 2) {
    tree.partialStep<Wide>(even, interleaved, i, frames);
    tree.partialStep<Wide>(odd, interleaved, i + 1, frames);
  }
  *this = tree;
}

SUSTAIN_CLONES
void Crossover::splitWide(const float* interleaved, BandFrame* frames) { run<true>(interleaved, frames); }

void Crossover::split(const float* interleaved, BandFrame* frames) {
  if (hasWideVectors()) return splitWide(interleaved, frames);
  run<false>(interleaved, frames);
}

}  // namespace sustain
