#include "fault_watch.h"

#include <algorithm>
#include <cmath>

#include "simd.h"

namespace sustain {

namespace {

constexpr std::size_t kBlocksPerSecond = 10;
constexpr double kSilentDbfs = -120.0;
constexpr float kQuietEnoughForNoiseDbfs = -30.0f;

// Measured over 2.6 hours of music and over hiss and hum through MP3, AAC and Opus: in 12 s, noise keeps within 3.2 dB
// K-weighted and 3.3 dB differentiated, and no music keeps within 3.5 and 4.5 dB both.
constexpr std::size_t kSteadyBlocks = 120;
constexpr double kSteadyWeightedDb = 3.5;
constexpr double kSteadyDifferenceDb = 4.5;
constexpr double kUnsteadyDb = 6.0;

constexpr std::size_t kToneBlocks = 80;
constexpr double kToneRangeDb = 1.0;
constexpr double kToneShare = 0.9;
// Measured: AAC at 32 kbit/s lets the level of a tone wander by 2 dB and leaves 0.98 of it in one peak.
constexpr double kPureToneRangeDb = 2.0;
constexpr double kPureToneShare = 0.97;
constexpr double kToneDrift = 0.03;
// A single component that belongs to the mains; higher harmonics never come alone.
constexpr double kHighestHumHz = 190.0;
constexpr double kHumTolerance = 0.03;

constexpr std::size_t kPhaseBlocks = 200;
constexpr std::size_t kSideBlocks = 50;
constexpr double kQuietSideRangeDb = 6.0;
constexpr double kLoudSideRangeDb = 1.5;
constexpr double kDeadSideDbfs = -80.0;
constexpr double kDeadSideDifferenceDb = 45.0;
constexpr double kLoudSideDbfs = -45.0;
constexpr double kMonoDifferenceDb = -40.0;
// How far a block may lie from the level of the fault that it belongs to, when it is asked when that began.
constexpr float kSameToneDb = 2.5f;
constexpr float kSameNoiseDb = 4.5f;
/** A click is no end of what was wrong before it. */
constexpr std::size_t kLongestGapBlocks = 3;
constexpr std::size_t kPhaseStepBlocks = 5;
constexpr std::size_t kClippedBlocks = 100;
constexpr std::size_t kLoudnessBlocks = 300;
constexpr double kLoudnessFloorLufs = -50.0;
constexpr double kLoudnessHysteresisLu = 1.5;

float decibels(double power) { return static_cast<float>(std::max(kSilentDbfs, powerToDb(power))); }

double differencePower(const float* samples, int frames) {
  Float4 sum{};
  for (int i = 0; i + 4 <= frames; i += 4) {
    const Float4 difference = load4(samples + i) - load4(samples + i - 1);
    sum += difference * difference;
  }
  return static_cast<double>(sumOf(sum)) / frames;
}

bool isHum(double hertz) {
  if (hertz > kHighestHumHz) return false;
  for (const double mains : {50.0, 60.0}) {
    const double order = std::max(1.0, std::round(hertz / mains));
    if (std::fabs(hertz - order * mains) < kHumTolerance * mains * std::min(order, 4.0)) return true;
  }
  return false;
}

}  // namespace

FaultWatch::FaultWatch(double sampleRateHz, int channels, const FaultRules& rules)
    : rules_(rules),
      channels_(channels),
      samplesPerBlock_(sampleRateHz / 10.0 * channels),
      decimator_(sampleRateHz, channels),
      loopFinder_(decimator_.rateHz()),
      spectrum_(sampleRateHz, static_cast<int>(sampleRateHz / 10.0)),
      log_(rules),
      features_(kHistory),
      sorted_(kHistory) {}

void FaultWatch::reset() {
  decimator_.reset();
  loopFinder_.reset();
  log_.reset();
  std::fill(features_.begin(), features_.end(), BlockFeatures{});
  blockCount_ = 0;
  nowSeconds_ = 0.0;
  toneHz_ = 0.0;
  steady_ = false;
  leftLost_ = false;
}

void FaultWatch::process(const Block& block, const Levels& levels,
                         const std::array<double, kStepsPerBlock>& stepEnergies, double nowSeconds) {
  nowSeconds_ = nowSeconds;
  collect(block, levels, stepEnergies);
  decimator_.process(block);
  loopFinder_.process(decimator_.samples(), stepEnergies);
  if (blockCount_ % kBlocksPerSecond == 0) judge(block);
}

void FaultWatch::collect(const Block& block, const Levels& levels,
                         const std::array<double, kStepsPerBlock>& stepEnergies) {
  BlockFeatures& now = features_[blockCount_ % kHistory];
  now = {};
  std::array<double, kMaxChannels> power{};
  double loudest = 0.0;
  int loudestChannel = 0;
  for (int c = 0; c < channels_; ++c) {
    const double mean = levels.mean(c);
    const double own = std::max(0.0, levels.power(c) - mean * mean);
    power[static_cast<std::size_t>(c)] = own;
    if (own > loudest) {
      loudest = own;
      loudestChannel = c;
    }
  }
  double energy = 0.0;
  for (const double step : stepEnergies) energy += step / kStepsPerBlock;
  now.loudestDbfs = decibels(loudest);
  now.weightedDb = decibels(energy);
  now.weightedEnergy = static_cast<float>(energy);
  if (now.loudestDbfs < kQuietEnoughForNoiseDbfs) {
    now.differenceDb = decibels(differencePower(block.channel[static_cast<std::size_t>(loudestChannel)], block.frames));
  }
  now.clipped = static_cast<float>(levels.clippedSamples());
  if (channels_ >= 2) {
    now.left = power[0];
    now.right = power[1];
    now.products = levels.crossSum() / block.frames - levels.mean(0) * levels.mean(1);
    now.leftDbfs = decibels(now.left);
    now.rightDbfs = decibels(now.right);
  }
  ++blockCount_;
}

const BlockFeatures& FaultWatch::ago(std::size_t blocks) const { return features_[(blockCount_ - 1 - blocks) % kHistory]; }

bool FaultWatch::sorted(float BlockFeatures::*feature, std::size_t count) {
  if (blockCount_ < count) return false;
  sorted_.clear();
  for (std::size_t i = 0; i < count; ++i) sorted_.push_back(ago(i).*feature);
  std::sort(sorted_.begin(), sorted_.end());
  return true;
}

double FaultWatch::percentile(double fraction) const {
  return sorted_[static_cast<std::size_t>(std::lround(fraction * static_cast<double>(sorted_.size() - 1)))];
}

template <typename Lasted>
void FaultWatch::note(FaultKind kind, Sign sign, const Evidence& evidence, Lasted lasted) {
  const bool begins = sign == Sign::kPresent && !log_.begun(kind);
  log_.note(kind, sign, nowSeconds_, begins ? lasted() : 0.0, evidence);
}

template <typename Belongs>
double FaultWatch::lastedSeconds(std::size_t stepBlocks, Belongs belongs) const {
  const std::size_t known = static_cast<std::size_t>(std::min<std::uint64_t>(blockCount_, kHistory));
  std::size_t lasted = 0;
  for (std::size_t i = 0; i + stepBlocks <= known && i <= lasted + kLongestGapBlocks; ++i) {
    if (belongs(i)) lasted = i + stepBlocks;
  }
  return static_cast<double>(lasted) / kBlocksPerSecond;
}

void FaultWatch::judge(const Block& block) {
  judgeSteady(block);
  if (channels_ == 2) {
    judgeChannels();
    judgePhase();
  }
  judgeLoop();
  judgeLoudness();
}

void FaultWatch::judgeSteady(const Block& block) {
  Sign noise = Sign::kAbsent;
  Sign tone = Sign::kAbsent;
  Evidence noiseEvidence{};
  Evidence toneEvidence{};
  StrongestPeak peak;

  if (sorted(&BlockFeatures::loudestDbfs, kToneBlocks)) {
    const double level = percentile(0.5);
    // Ident tones are interrupted for up to a fifth of the time.
    const double range = percentile(0.9) - percentile(0.2);
    const double grace = log_.active(kTone) ? 2.0 : 1.0;
    const bool maybe = level > rules_.silenceDbfs && range <= grace * kPureToneRangeDb;
    if (maybe && tonal(block, peak) && range <= grace * (peak.share >= kPureToneShare ? kPureToneRangeDb : kToneRangeDb)) {
      const bool sameTone = std::fabs(peak.frequencyHz - toneHz_) <= kToneDrift * toneHz_;
      toneHz_ = peak.frequencyHz;
      const bool quietHum = level <= rules_.noiseCeilingDbfs && isHum(peak.frequencyHz);
      if (sameTone && !quietHum) tone = Sign::kPresent;
      toneEvidence = {level, range, peak.frequencyHz, peak.share};
    }
  }
  if (tone == Sign::kAbsent && sorted(&BlockFeatures::loudestDbfs, kSteadyBlocks)) {
    const double level = percentile(0.5);
    // Half a decibel of grace for the spread of the level itself.
    if (level > rules_.noiseFloorDbfs && level <= rules_.noiseCeilingDbfs + 0.5) {
      sorted(&BlockFeatures::differenceDb, kSteadyBlocks);
      const double differenceRange = percentile(0.95) - percentile(0.05);
      sorted(&BlockFeatures::weightedDb, kSteadyBlocks);
      const double range = percentile(0.95) - percentile(0.05);
      const bool steady = range <= kSteadyWeightedDb && differenceRange <= kSteadyDifferenceDb;
      const bool unsteady = range > kUnsteadyDb || differenceRange > kUnsteadyDb;
      noise = steady ? Sign::kPresent : (unsteady ? Sign::kAbsent : Sign::kUnclear);
      if (steady) tonal(block, peak);
      noiseEvidence = {level, range, peak.frequencyHz, peak.share};
    }
  }
  steady_ = tone == Sign::kPresent || noise == Sign::kPresent;
  const auto near = [this](std::size_t i, float BlockFeatures::*feature, double level, float range) {
    return std::fabs(ago(i).*feature - static_cast<float>(level)) <= range;
  };
  note(kTone, tone, toneEvidence, [&] {
    return lastedSeconds(1, [&](std::size_t i) {
      return near(i, &BlockFeatures::loudestDbfs, toneEvidence[0], kSameToneDb);
    });
  });
  note(kNoiseOnly, noise, noiseEvidence, [&] {
    sorted(&BlockFeatures::weightedDb, kSteadyBlocks);
    const double weighted = percentile(0.5);
    return lastedSeconds(1, [&](std::size_t i) {
      return near(i, &BlockFeatures::loudestDbfs, noiseEvidence[0], kSameNoiseDb) &&
             near(i, &BlockFeatures::weightedDb, weighted, kSameNoiseDb);
    });
  });
}

bool FaultWatch::tonal(const Block& block, StrongestPeak& peak) {
  const BlockFeatures& now = ago(0);
  bool all = true;
  peak = {};
  for (int c = 0; c < std::min(channels_, 2); ++c) {
    const bool audible = channels_ == 1 || (c == 0 ? now.leftDbfs : now.rightDbfs) > now.loudestDbfs - 30.0f;
    if (!audible) continue;
    const StrongestPeak own = spectrum_.strongestPeak(block.channel[static_cast<std::size_t>(c)], block.frames);
    all = all && own.share >= kToneShare;
    if (own.share > peak.share) peak = own;
  }
  return all && peak.share > 0.0;
}

void FaultWatch::judgeChannels() {
  double left = 0.0;
  double right = 0.0;
  for (std::size_t i = 0; i < kBlocksPerSecond; ++i) {
    left += ago(i).left / kBlocksPerSecond;
    right += ago(i).right / kBlocksPerSecond;
  }
  const double leftDbfs = decibels(left);
  const double rightDbfs = decibels(right);
  const double difference = std::fabs(leftDbfs - rightDbfs);
  const double quiet = std::min(leftDbfs, rightDbfs);
  const bool leftLost = leftDbfs < rightDbfs;
  const auto rangeOf = [this](float BlockFeatures::*side) {
    return sorted(side, kSideBlocks) ? percentile(0.9) - percentile(0.1) : kUndefined;
  };
  Sign sign = Sign::kUnclear;
  if (std::max(leftDbfs, rightDbfs) > kLoudSideDbfs) {
    sign = difference < rules_.channelRestoreDb ? Sign::kAbsent : Sign::kUnclear;
    const auto quietSide = leftLost ? &BlockFeatures::leftDbfs : &BlockFeatures::rightDbfs;
    const auto loudSide = leftLost ? &BlockFeatures::rightDbfs : &BlockFeatures::leftDbfs;
    // A tone or hiss on one side is a fault of its own.
    if (difference >= rules_.channelDifferenceDb && rangeOf(loudSide) > kLoudSideRangeDb) {
      // What leaks into the quiet side of hard-panned music moves with it; a dead input is silent or steady noise.
      const bool dead = quiet < kDeadSideDbfs || difference >= kDeadSideDifferenceDb;
      sign = dead || rangeOf(quietSide) < kQuietSideRangeDb ? Sign::kPresent : Sign::kUnclear;
    }
  }
  if (sign == Sign::kPresent && leftLost != leftLost_) {
    // The other side than before: what was heard of this one was no fault.
    log_.startAgain(kChannelLost);
    leftLost_ = leftLost;
  }
  note(kChannelLost, sign, {leftDbfs, rightDbfs, difference, 0.0}, [&] {
    return lastedSeconds(1, [&](std::size_t i) {
      const float over = (leftLost ? -1.0f : 1.0f) * (ago(i).leftDbfs - ago(i).rightDbfs);
      return over >= static_cast<float>(rules_.channelRestoreDb);
    });
  });
}

void FaultWatch::judgePhase() {
  if (blockCount_ < kPhaseBlocks) return;
  double left = 0.0;
  double right = 0.0;
  double products = 0.0;
  for (std::size_t i = 0; i < kPhaseBlocks; ++i) {
    left += ago(i).left;
    right += ago(i).right;
    products += ago(i).products;
  }
  const double leftDbfs = decibels(left / kPhaseBlocks);
  const double rightDbfs = decibels(right / kPhaseBlocks);
  const double correlation = correlationOf(left, right, products);
  Sign phase = Sign::kUnclear;
  Sign mono = Sign::kUnclear;
  double differenceDb = 0.0;
  if (std::min(leftDbfs, rightDbfs) > rules_.silenceDbfs) {
    differenceDb = decibels(std::max(0.0, left + right - 2.0 * products) / (left + right));
    phase = correlation <= rules_.invertedCorrelation          ? Sign::kPresent
            : correlation > rules_.invertedRestoreCorrelation ? Sign::kAbsent
                                                              : Sign::kUnclear;
    mono = differenceDb < kMonoDifferenceDb ? Sign::kPresent : Sign::kAbsent;
  }
  note(kPhaseInverted, phase, {correlation, leftDbfs, rightDbfs, 0.0}, [this] {
    return lastedSeconds(kPhaseStepBlocks, [this](std::size_t from) {
      double both = 0.0;
      for (std::size_t i = from; i < from + kPhaseStepBlocks; ++i) both += ago(i).products;
      return both < 0.0;
    });
  });
  note(kMono, mono, {differenceDb, 0.0, 0.0, 0.0}, [] { return kPhaseBlocks / static_cast<double>(kBlocksPerSecond); });
}

void FaultWatch::judgeLoop() {
  // Hum and tones repeat themselves too.
  if (steady_) loopFinder_.dropLoop();
  const Loop& loop = loopFinder_.loop();
  const Evidence evidence{loop.periodSeconds, loop.repeats(), loop.matchedSeconds, loop.similarity};
  const auto sign = [&loop](double repeats, double leastSeconds, double leastWornSeconds) {
    const bool isLong = loop.identicalSeconds >= leastSeconds || loop.matchedSeconds >= leastWornSeconds;
    return loop.repeats() >= repeats && isLong ? Sign::kPresent : Sign::kAbsent;
  };
  const Sign suspected = sign(rules_.alarmRepeats, rules_.alarmLeastSeconds, rules_.alarmLeastWornSeconds);
  const Sign stuck = sign(rules_.faultRepeats, rules_.faultLeastSeconds, rules_.faultLeastWornSeconds);
  const auto lasted = [&loop] { return loop.matchedSeconds; };
  note(kLoopSuspected, suspected, evidence, lasted);
  note(kStuckLoop, stuck, evidence, lasted);
}

void FaultWatch::judgeLoudness() {
  if (blockCount_ >= kClippedBlocks) {
    double clipped = 0.0;
    for (std::size_t i = 0; i < kClippedBlocks; ++i) clipped += ago(i).clipped;
    const double percent = 100.0 * clipped / (samplesPerBlock_ * kClippedBlocks);
    const Sign sign = percent >= rules_.clippedPercent          ? Sign::kPresent
                      : percent < rules_.clippedRestorePercent ? Sign::kAbsent
                                                               : Sign::kUnclear;
    note(kClipped, sign, {percent, 0.0, 0.0, 0.0},
         [] { return kClippedBlocks / static_cast<double>(kBlocksPerSecond); });
  }
  if (std::isnan(rules_.targetLufs) || blockCount_ < kLoudnessBlocks) return;
  double energy = 0.0;
  std::size_t count = 0;
  const double floor = lufsToEnergy(kLoudnessFloorLufs);
  for (std::size_t i = 0; i < kLoudnessBlocks; ++i) {
    if (ago(i).weightedEnergy < floor) continue;
    energy += ago(i).weightedEnergy;
    ++count;
  }
  const double lufs = count > 0 ? energyToLufs(energy / static_cast<double>(count)) : kMinusInfinity;
  const double over = lufs - rules_.targetLufs;
  const auto sign = [](double excess) {
    return excess > 0.0 ? Sign::kPresent : excess < -kLoudnessHysteresisLu ? Sign::kAbsent : Sign::kUnclear;
  };
  // Mostly silence is the business of the silence sensor.
  const bool heard = count > kLoudnessBlocks / 3;
  const auto window = [] { return kLoudnessBlocks / static_cast<double>(kBlocksPerSecond); };
  const Evidence evidence{lufs, rules_.targetLufs, 0.0, 0.0};
  note(kTooLoud, heard ? sign(over - rules_.tooLoudLu) : Sign::kUnclear, evidence, window);
  note(kTooQuiet, heard ? sign(-over - rules_.tooQuietLu) : Sign::kUnclear, evidence, window);
}

}  // namespace sustain
