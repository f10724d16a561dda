#include "trim.h"

#include <algorithm>
#include <cmath>

#include "units.h"

namespace sustain {

namespace {

constexpr double kMostDb = 3.5;
/** What is quieter than the target by more than this is a pause, or on its way in or out. */
constexpr double kPauseDepthLu = 20.0;
/** Before so much was heard, nothing is held against the programme. */
constexpr std::uint64_t kFirstBlocks = 50;
constexpr double kBiasSeconds = 30.0;
/** Programme that cannot be as loud as it is meant to, as the limiter takes all of it again, must not leave more behind. */
constexpr double kMostBiasDb = 1.0;

}  // namespace

void Trim::configure(const ChainSettings& settings) {
  on_ = settings.leveller.on;
  targetLufs_ = settings.loudnessLufs;
  if (!on_) biasDb_ = gainDb_ = 0.0;
}

void Trim::observe(double energy) {
  blockSum_ += energy;
  if (++chunks_ % kBlockChunks != 0) return;
  // Blocks of 400 ms, each overlapping the next by 300: those of BS.1770.
  quarters_[chunks_ / kBlockChunks % quarters_.size()] = blockSum_ / static_cast<double>(kBlockChunks);
  blockSum_ = 0.0;
  const double block = (quarters_[0] + quarters_[1] + quarters_[2] + quarters_[3]) / 4.0;
  if (!on_ || !(energyToLufs(block) > targetLufs_ - kPauseDepthLu)) return;
  blocks_[learnt_++ % kBlocks] = block;
  if (learnt_ < kFirstBlocks) return;
  const double missingDb = targetLufs_ - lufsOfBlocks();
  biasDb_ = std::clamp(biasDb_ + missingDb * 0.1 / kBiasSeconds, -kMostBiasDb, kMostBiasDb);
  gainDb_ = std::clamp(biasDb_ + missingDb, -kMostDb, kMostDb);
}

double Trim::lufsOfBlocks() const {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(learnt_, kBlocks));
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) sum += blocks_[i];
  const double gate = sum / static_cast<double>(count) * 0.1;
  double loud = 0.0;
  std::size_t louder = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (blocks_[i] <= gate) continue;
    loud += blocks_[i];
    ++louder;
  }
  return energyToLufs(loud / static_cast<double>(louder));
}

}  // namespace sustain
