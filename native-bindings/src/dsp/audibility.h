#pragma once

#include <array>

#include "block.h"
#include "levels.h"
#include "units.h"

namespace sustain {

struct AudibilitySettings {
  /** A 10 ms step louder than this (RMS of the loudest channel, DC removed) is audible. */
  double actFloorDbfs = -50.0;
  /** The same count against a higher floor, for warnings. */
  double warnFloorDbfs = -40.0;
  /** How far under the act floor a quiet programme may lie and still count by its modulation. */
  double quietProgrammeDb = 15.0;
  /**
   * Least spread of level (90th less 10th percentile of 20 ms steps over up to 3 s) that a programme has. Measured: 99 %
   * of music has more; hiss and hum through any codec keep under 2.3, only rumble has up to 6.
   */
  double minModulationDb = 3.0;
};

/**
 * How much of each block was sound. Level alone calls a quiet passage silence, so below the act floor modulation is
 * looked at too: programme moves in level by many decibels within seconds, line noise and hum do not.
 */
class Audibility {
 public:
  explicit Audibility(const AudibilitySettings& settings);
  /** `stepEnergies` are the K-weighted mean squares of the block's steps, in which rumble counts for little. */
  void process(const Block& block, const Levels& levels, const std::array<double, kStepsPerBlock>& stepEnergies);
  void reset();

  /** 0, 10 .. 100. */
  double audibleMs() const { return audibleMs_; }
  double audibleWarnMs() const { return audibleWarnMs_; }
  /** Like audibleMs, for sound under the act floor that is modulated as programme is; 0 while the level is enough. */
  double modulatedMs() const { return modulatedMs_; }
  /** Spread of level while under the act floor; NaN above it and in the first second under it. */
  double modulationDb() const { return modulationDb_; }

 private:
  static constexpr std::size_t kQuietSteps = 150;
  static constexpr std::size_t kLeastQuietSteps = 50;
  void followQuiet(const std::array<double, kStepsPerBlock>& stepEnergies);

  AudibilitySettings settings_;
  double actPower_;
  double warnPower_;
  double audibleMs_ = 0.0;
  double audibleWarnMs_ = 0.0;
  double modulatedMs_ = 0.0;
  double modulationDb_ = kUndefined;
  std::array<float, kQuietSteps> quietDb_{};
  std::size_t quietCount_ = 0;
};

}  // namespace sustain
