#include "loudness.h"

#include <algorithm>

namespace sustain {

namespace {

constexpr std::uint64_t kBlocksPerIntegratedRefresh = 10;

/** ITU-R BS.1770-5, Annex 1, Table 3; channel order L R C LFE Ls Rs, without LFE below six, without C at four. */
std::array<double, kMaxChannels> channelWeights(int channels) {
  constexpr double kSurround = 1.41;
  switch (channels) {
    case 4: return {1.0, 1.0, kSurround, kSurround, 0.0, 0.0};
    case 5: return {1.0, 1.0, 1.0, kSurround, kSurround, 0.0};
    case 6: return {1.0, 1.0, 1.0, 0.0, kSurround, kSurround};
    default: return {1.0, 1.0, 1.0, 0.0, 0.0, 0.0};
  }
}

}  // namespace

Loudness::Loudness(double sampleRateHz, int channels)
    : weighting_(sampleRateHz, channels), channelWeight_(channelWeights(channels)) {}

void Loudness::reset() {
  weighting_.reset();
  steps_ = {};
  blocks_ = {};
  stepEnergies_ = {};
  stepCount_ = 0;
  blockCount_ = 0;
  momentaryMaxLufs_ = kUndefined;
  highestMomentaryLufs_ = kMinusInfinity;
  highestShortTermLufs_ = kMinusInfinity;
  resetIntegrated();
}

void Loudness::resetIntegrated() {
  gatingBlocks_.reset();
  shortTerms_.reset();
  integrationBlocks_ = 0;
  integratedLufs_ = kUndefined;
  rangeLu_ = kUndefined;
}

void Loudness::weigh(const Block& block, std::array<Energy, kStepsPerBlock>& steps) {
  weighting_.process(block, weighted_);
  int begin = 0;
  for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
    double sum = 0.0;
    for (int c = 0; c < block.channels; ++c) {
      const auto index = static_cast<std::size_t>(c);
      sum += channelWeight_[index] * weighted_.sumOfSquares[index][step];
    }
    const double frames = block.stepEnd[step] - begin;
    begin = block.stepEnd[step];
    steps[step] = {sum, frames};
    stepEnergies_[step] = sum / frames;
  }
}

void Loudness::process(const Block& block) {
  std::array<Energy, kStepsPerBlock> fresh;
  weigh(block, fresh);

  double highest = kUndefined;
  Energy whole;
  for (const Energy& step : fresh) {
    steps_[stepCount_++ % kMomentarySteps] = step;
    whole.sum += step.sum;
    whole.frames += step.frames;
    if (stepCount_ < kMomentarySteps) continue;
    const double energy = momentaryEnergy();
    highest = highest > energy ? highest : energy;
  }
  momentaryMaxLufs_ = stepCount_ < kMomentarySteps ? kUndefined : energyToLufs(highest);
  highestMomentaryLufs_ = std::max(highestMomentaryLufs_, stepCount_ < kMomentarySteps ? kMinusInfinity : momentaryMaxLufs_);
  blocks_[blockCount_++ % kShortTermBlocks] = whole;

  // Integration only takes windows that lie wholly after its reset.
  ++integrationBlocks_;
  if (integrationBlocks_ >= kMomentarySteps / kStepsPerBlock) gatingBlocks_.add(momentaryEnergy());
  if (integrationBlocks_ >= kShortTermBlocks) shortTerms_.add(shortTermEnergy());
  if (blockCount_ >= kShortTermBlocks) {
    const double energy = shortTermEnergy();
    highestShortTermLufs_ = std::max(highestShortTermLufs_, energyToLufs(energy));
  }
  if (blockCount_ % kBlocksPerIntegratedRefresh == 0) refreshIntegrated();
}

void Loudness::refreshIntegrated() {
  if (integrationBlocks_ < kMomentarySteps / kStepsPerBlock) return;
  integratedLufs_ = gatingBlocks_.integratedLufs();
  rangeLu_ = shortTerms_.rangeLu();
}

double Loudness::momentaryEnergy() const {
  Energy total;
  for (const Energy& step : steps_) {
    total.sum += step.sum;
    total.frames += step.frames;
  }
  return total.sum / total.frames;
}

double Loudness::shortTermEnergy() const {
  Energy total;
  for (const Energy& block : blocks_) {
    total.sum += block.sum;
    total.frames += block.frames;
  }
  return total.sum / total.frames;
}

double Loudness::momentaryLufs() const {
  return stepCount_ < kMomentarySteps ? kUndefined : energyToLufs(momentaryEnergy());
}

double Loudness::shortTermLufs() const {
  return blockCount_ < kShortTermBlocks ? kUndefined : energyToLufs(shortTermEnergy());
}

}  // namespace sustain
