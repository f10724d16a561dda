#include "chain_loudness.h"

#include "k_weighting.h"
#include "units.h"

namespace sustain {

ChainLoudness::ChainLoudness() {
  const KWeightingCoefficients weighting = kWeightingFor(kChainRateHz);
  setAllLanes(shelf_, designOf(weighting.shelf));
  setAllLanes(highPass_, designOf(weighting.highPass));
}

SUSTAIN_CLONES
void ChainLoudness::observe(Tone& input, float* in, const float* out) {
  LaneFilter shelf = shelf_;
  LaneFilter highPass = highPass_;
  double inSum = 0.0;
  double outSum = 0.0;
  constexpr std::size_t kPartFrames = 16;
  LaneFilter* const only = input.only();
  LaneFilter first = only == nullptr ? LaneFilter{} : *only;
  for (std::size_t part = 0; part < kChunkFrames; part += kPartFrames) {
    Float4 sum{};
    if (only != nullptr) {
      // In the same loop, so that no filter waits for the last sample of another.
      for (std::size_t i = 2 * part; i < 2 * (part + kPartFrames); i += 2) {
        const Float4 x = first.mixed(loadPair(in + i));
        storePair(in + i, x);
        const Float4 y = highPass.mixed(shelf.mixed(firstHalves(x, loadPair(out + i))));
        sum += y * y;
      }
      inSum += static_cast<double>(sum[0]) + static_cast<double>(sum[1]);
      outSum += static_cast<double>(sum[2]) + static_cast<double>(sum[3]);
      continue;
    }
    input.process(in + 2 * part, kPartFrames);
    for (std::size_t i = 2 * part; i < 2 * (part + kPartFrames); i += 2) {
      const Float4 y = highPass.mixed(shelf.mixed(loadPairs(in + i, out + i)));
      sum += y * y;
    }
    inSum += static_cast<double>(sum[0]) + static_cast<double>(sum[1]);
    outSum += static_cast<double>(sum[2]) + static_cast<double>(sum[3]);
  }
  if (only != nullptr) *only = first;
  shelf_ = shelf;
  highPass_ = highPass;
  const std::size_t place = chunks_++ % kShortTermChunks;
  in_[place] = inSum / static_cast<double>(kChunkFrames);
  out_[place] = outSum / static_cast<double>(kChunkFrames);
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
