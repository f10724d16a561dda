#include "leveller.h"

#include <algorithm>
#include <cmath>

#include "simd.h"
#include "units.h"

namespace sustain {

namespace {

/** Blocks this far under the programme are pauses of it rather than programme, and count once in `kFaintCounts`. */
constexpr double kPauseDepthLu = 26.0;
constexpr std::uint64_t kFaintCounts = 5;
/** What is louder than all the rest for less than this is a burst and no programme, in blocks of 100 ms. */
constexpr std::size_t kLeastProgrammeBlocks = 15;
/** In its first seconds nothing is known of a programme yet, and the gain goes straight to it. */
constexpr std::uint64_t kFirstBlocks = 20;
constexpr double kFirstSeconds = 0.15;
/** An error of this many decibels is corrected twice as fast as a small one. */
constexpr double kBendDb = 4.0;
constexpr double kFastestSeconds = 0.15;
constexpr double kMostRiseDbPerSecond = 8.0;
constexpr double kGuardAttackSeconds = 0.03;
constexpr double kGuardReleaseSeconds = 1.0;
constexpr double kSettledDb = 6.0;

double shareFor(double seconds) { return 1.0 - std::exp(-kChunkSeconds / seconds); }

}  // namespace

void Leveller::configure(const ChainSettings& settings) {
  settings_ = settings;
  const auto blocks = static_cast<std::size_t>(settings.leveller.windowMs / 100.0);
  windowBlocks_ = std::clamp<std::size_t>(blocks, kLeastProgrammeBlocks, kMostBlocks);
}

void Leveller::process(float* interleaved, double energy) {
  const std::size_t place = chunks_ % kLookAheadChunks;
  const double delayed = energies_[place];
  energies_[place] = energy;
  ++chunks_;
  blockSum_ += energy;
  if (chunks_ % kBlockChunks == 0) {
    learn(blockSum_ / static_cast<double>(kBlockChunks));
    blockSum_ = 0.0;
  }
  float* line = line_.data() + place * 2 * kChunkFrames;
  if (!settings_.leveller.on) {
    gainDb_ = guardDb_ = 0.0;
    appliedGain_ = 1.0f;
    for (std::size_t i = 0; i < 2 * kChunkFrames; ++i) std::swap(line[i], interleaved[i]);
    energyOut_ = delayed;
    settled_ = false;
    return;
  }
  move();
  double soon = 0.0;
  for (std::size_t i = 1; i <= kGuardChunks; ++i) soon += energies_[(place + i) % kLookAheadChunks];
  guard(soon / static_cast<double>(kGuardChunks));
  const auto wanted = static_cast<float>(std::pow(10.0, (gainDb_ + guardDb_) / 20.0));
  const float step = (wanted - appliedGain_) / static_cast<float>(kChunkFrames);
  Float4 gain = appliedGain_ + Float4{0.0f, 0.0f, step, step};
  for (std::size_t i = 0; i < 2 * kChunkFrames; i += 4) {
    const Float4 newest = load4(interleaved + i);
    store4(interleaved + i, load4(line + i) * gain);
    store4(line + i, newest);
    gain += 2.0f * step;
  }
  appliedGain_ = wanted;
  energyOut_ = delayed * static_cast<double>(wanted) * static_cast<double>(wanted);
}

void Leveller::learn(double blockEnergy) {
  quarters_[chunks_ / kBlockChunks % quarters_.size()] = blockEnergy;
  const double lufs = energyToLufs(blockEnergy);
  paused_ = !(lufs >= settings_.leveller.gateLufs);
  if (paused_) return;
  if (learnt_ > 0 && lufs < loudnessLufs_ - kPauseDepthLu) {
    paused_ = true;
    if (++faint_ % kFaintCounts != 0) return;
  }
  // Blocks of 400 ms, each overlapping the next by 300: those of BS.1770, which gates out less of speech than shorter ones.
  blocks_[learnt_++ % kMostBlocks] = (quarters_[0] + quarters_[1] + quarters_[2] + quarters_[3]) / 4.0;
  loudnessLufs_ = windowLufs();
}

double Leveller::windowLufs() const {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(learnt_, windowBlocks_));
  const auto block = [this](std::size_t age) { return blocks_[(learnt_ - 1 - age) % kMostBlocks]; };
  double sum = 0.0;
  for (std::size_t age = 0; age < count; ++age) sum += block(age);
  const double gate = sum / static_cast<double>(count) * 0.1;
  double loud = 0.0;
  std::size_t louder = 0;
  for (std::size_t age = 0; age < count; ++age) {
    if (block(age) <= gate) continue;
    loud += block(age);
    ++louder;
  }
  const std::size_t rest = count - louder;
  const bool isBurst = louder < kLeastProgrammeBlocks && rest >= kLeastProgrammeBlocks;
  return isBurst ? energyToLufs((sum - loud) / static_cast<double>(rest)) : energyToLufs(loud / static_cast<double>(louder));
}

void Leveller::move() {
  if (learnt_ == 0) return;
  const auto& limits = settings_.leveller;
  const double wanted =
      std::clamp(settings_.loudnessLufs - loudnessLufs_, -limits.maxCutDb, limits.maxGainDb);
  const double error = wanted - gainDb_;
  settled_ = !paused_ && std::fabs(error) < kSettledDb;
  if (paused_ && error > 0.0) return;
  if (learnt_ < kFirstBlocks) {
    gainDb_ += error * shareFor(kFirstSeconds);
    return;
  }
  const double bent = error / kBendDb;
  const double seconds = std::max(limits.speedMs / 1000.0 / (1.0 + bent * bent), kFastestSeconds);
  gainDb_ += std::min(error * shareFor(seconds), kMostRiseDbPerSecond * kChunkSeconds);
}

void Leveller::guard(double momentaryEnergy) {
  const double over = energyToLufs(momentaryEnergy) + gainDb_ - settings_.loudnessLufs - settings_.leveller.guardLu;
  const double wanted = -std::max(over, 0.0);
  guardDb_ += (wanted - guardDb_) * shareFor(wanted < guardDb_ ? kGuardAttackSeconds : kGuardReleaseSeconds);
}

}  // namespace sustain
