#include "crossover.h"

namespace sustain {

namespace {

constexpr double kButterworthQ = 0.70710678118654752;

/** Only its poles and the gain of its all-pass output are used. */
LaneDesign sectionAt(double cornerHz) { return allPassDesign(cornerHz, kButterworthQ); }

void setHalves(LaneFilter& filter, double firstHz, double lastHz) {
  for (int lane = 0; lane < 4; ++lane) setLane(filter, lane, sectionAt(lane < 2 ? firstHz : lastHz));
}

}  // namespace

void Crossover::configure(const std::array<double, kBands - 1>& crossoverHz) {
  const auto [first, second, third, fourth] = crossoverHz;
  setHalves(root1_, second, second);
  setHalves(root2_, second, second);
  setHalves(allLow3High1_, third, first);
  setHalves(allLow4High3_, fourth, third);
  setHalves(low1High3_, first, third);
  setHalves(low1High4_, first, fourth);
  setHalves(allMiddle4High4_, fourth, fourth);
}

// A low-pass output is twice the signal after one section and four times after two.
constexpr float kTwice = 0.25f;

inline Crossover::Trunk Crossover::trunk(Float4 leftRight) {
  const LaneFilter::Taps middle = root1_.tick(leftRight);
  const Float4 all = leftRight + root1_.m1 * middle.band;
  const Float4 low = kTwice * root2_.tick(middle.low).low;
  // What is below the middle crossover in the first half, what is above it in the second.
  const Float4 sides = firstHalves(low, all - low);
  return {sides + allLow3High1_.m1 * allLow3High1_.tick(sides).band};
}

inline Crossover::Boughs Crossover::boughs(const Trunk& in) {
  const LaneFilter::Taps third = allLow4High3_.tick(in.passed);
  const Float4 thirdAll = in.passed + allLow4High3_.m1 * third.band;
  const Float4 fourthIn = outerHalves(thirdAll, third.low);
  const LaneFilter::Taps fourth = low1High3_.tick(fourthIn);
  const Float4 thirdLow = kTwice * fourth.low;
  return {fourthIn + low1High3_.m1 * fourth.band, outerHalves(fourth.low, thirdAll - thirdLow), thirdLow};
}

inline BandFrame Crossover::twigs(const Boughs& in) {
  const LaneFilter::Taps fifth = low1High4_.tick(in.fifthIn);
  const Float4 topAll = in.fifthIn + low1High4_.m1 * fifth.band;
  const Float4 firstLow = kTwice * fifth.low;
  const Float4 sixthIn = lastHalves(in.thirdLow, fifth.low);
  const LaneFilter::Taps sixth = allMiddle4High4_.tick(sixthIn);
  const Float4 middleAll = sixthIn + allMiddle4High4_.m1 * sixth.band;
  const Float4 fourthLow = kTwice * sixth.low;
  return {firstHalves(firstLow, in.firstAll - firstLow), outerHalves(middleAll, fourthLow), topAll - fourthLow};
}

SUSTAIN_CLONES
void Crossover::split(const float* interleaved, BandFrame* frames) {
  // The three thirds of the tree one after the other, over a few frames each: so all of a third stays in registers, and
  // no frame waits for the one before it to come out of the whole tree.
  constexpr std::size_t kPartFrames = 16;
  std::array<Trunk, kPartFrames> trunks;
  std::array<Boughs, kPartFrames> grown;
  Crossover tree = *this;
  for (std::size_t part = 0; part < kChunkFrames; part += kPartFrames) {
    for (std::size_t i = 0; i < kPartFrames; ++i) {
      const Float4 x = loadPair(interleaved + 2 * (part + i));
      trunks[i] = tree.trunk(x);
    }
    for (std::size_t i = 0; i < kPartFrames; ++i) grown[i] = tree.boughs(trunks[i]);
    for (std::size_t i = 0; i < kPartFrames; ++i) frames[part + i] = tree.twigs(grown[i]);
  }
  *this = tree;
}

}  // namespace sustain
