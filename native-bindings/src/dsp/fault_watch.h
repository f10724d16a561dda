#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "block.h"
#include "decimator.h"
#include "fault_log.h"
#include "fault_rules.h"
#include "levels.h"
#include "loop_finder.h"
#include "spectrum.h"
#include "units.h"

namespace sustain {

/** What is remembered of each 100 ms for the slow conditions. */
struct BlockFeatures {
  float loudestDbfs = -120.0f;
  float weightedDb = -120.0f;
  /** Level of the differences between neighbouring samples, which stresses high frequencies; only under -30 dBFS. */
  float differenceDb = -120.0f;
  float leftDbfs = -120.0f;
  float rightDbfs = -120.0f;
  float weightedEnergy = 0.0f;
  float clipped = 0.0f;
  double left = 0.0;
  double right = 0.0;
  double products = 0.0;
};

/** Watches one leg for programme faults: collects features every 100 ms and judges them once a second. */
class FaultWatch {
 public:
  FaultWatch(double sampleRateHz, int channels, const FaultRules& rules);
  void process(const Block& block, const Levels& levels, const std::array<double, kStepsPerBlock>& stepEnergies,
               double nowSeconds);
  void reset();
  const FaultLog& log() const { return log_; }

 private:
  static constexpr std::size_t kHistory = 300;
  void collect(const Block& block, const Levels& levels, const std::array<double, kStepsPerBlock>& stepEnergies);
  void judge(const Block& block);
  void judgeSteady(const Block& block);
  bool tonal(const Block& block, StrongestPeak& peak);
  void judgeChannels();
  void judgePhase();
  void judgeLoop();
  void judgeLoudness();
  /** `lasted` says, when it is the first sign, for how many seconds the condition has been there. */
  template <typename Lasted>
  void note(FaultKind kind, Sign sign, const Evidence& evidence, Lasted lasted);
  /** For how long the blocks (in steps of so many) have belonged to what is heard now, leaving clicks aside. */
  template <typename Belongs>
  double lastedSeconds(std::size_t stepBlocks, Belongs belongs) const;
  /** The feature of the newest `count` blocks, sorted, or false when fewer were heard. */
  bool sorted(float BlockFeatures::*feature, std::size_t count);
  double percentile(double fraction) const;
  const BlockFeatures& ago(std::size_t blocks) const;

  FaultRules rules_;
  int channels_;
  double samplesPerBlock_;
  Decimator decimator_;
  LoopFinder loopFinder_;
  Spectrum spectrum_;
  FaultLog log_;
  std::vector<BlockFeatures> features_;
  std::vector<float> sorted_;
  std::uint64_t blockCount_ = 0;
  double nowSeconds_ = 0.0;
  double toneHz_ = 0.0;
  bool steady_ = false;
  bool leftLost_ = false;
};

}  // namespace sustain
