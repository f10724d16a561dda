#include "audibility.h"

#include <algorithm>

namespace sustain {

namespace {

// Steps of digital silence need a finite level to be sorted by.
constexpr double kSilentStepDb = -120.0;
constexpr double kMostlyAudibleMs = 50.0;

}  // namespace

Audibility::Audibility(const AudibilitySettings& settings)
    : settings_(settings),
      actPower_(dbToPower(settings.actFloorDbfs)),
      warnPower_(dbToPower(settings.warnFloorDbfs)) {}

void Audibility::reset() {
  audibleMs_ = 0.0;
  audibleWarnMs_ = 0.0;
  modulatedMs_ = 0.0;
  modulationDb_ = kUndefined;
  quietCount_ = 0;
}

void Audibility::process(const Block& block, const Levels& levels,
                         const std::array<double, kStepsPerBlock>& stepEnergies) {
  audibleMs_ = 0.0;
  audibleWarnMs_ = 0.0;
  int begin = 0;
  for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
    const double frames = block.stepEnd[step] - begin;
    begin = block.stepEnd[step];
    double loudest = 0.0;
    for (int c = 0; c < block.channels; ++c) {
      const ChannelLevels& channel = levels.channel(c);
      // The mean of the whole block is its offset: 100 ms holds whole periods of 50 and 60 Hz.
      const double mean = levels.mean(c);
      const double power = (channel.sumOfSquares[step] - 2.0 * mean * channel.sum[step]) / frames + mean * mean;
      loudest = std::max(loudest, power);
    }
    if (loudest > actPower_) audibleMs_ += kStepMs;
    if (loudest > warnPower_) audibleWarnMs_ += kStepMs;
  }
  modulatedMs_ = 0.0;
  modulationDb_ = kUndefined;
  if (audibleMs_ >= kMostlyAudibleMs) {
    quietCount_ = 0;
  } else {
    followQuiet(stepEnergies);
  }
}

void Audibility::followQuiet(const std::array<double, kStepsPerBlock>& stepEnergies) {
  const double floorDb = settings_.actFloorDbfs - settings_.quietProgrammeDb;
  double overFloorMs = 0.0;
  for (std::size_t step = 0; step < kStepsPerBlock; step += 2) {
    const double db = std::max(kSilentStepDb, powerToDb((stepEnergies[step] + stepEnergies[step + 1]) / 2.0));
    quietDb_[quietCount_ % kQuietSteps] = static_cast<float>(db);
    ++quietCount_;
    if (db > floorDb) overFloorMs += 2.0 * kStepMs;
  }
  // The count wraps within the second half, so that the ring stays full and never overflows.
  if (quietCount_ >= 2 * kQuietSteps) quietCount_ -= kQuietSteps;
  if (quietCount_ < kLeastQuietSteps) return;

  std::array<float, kQuietSteps> sorted = quietDb_;
  const std::size_t count = std::min(quietCount_, kQuietSteps);
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(count);
  const auto low = sorted.begin() + static_cast<std::ptrdiff_t>(count / 10);
  const auto high = sorted.begin() + static_cast<std::ptrdiff_t>(count * 9 / 10);
  std::nth_element(sorted.begin(), high, end);
  std::nth_element(sorted.begin(), low, high);
  modulationDb_ = *high - *low;
  if (modulationDb_ >= settings_.minModulationDb && *high > floorDb) modulatedMs_ = overFloorMs;
}

}  // namespace sustain
