#pragma once

#include <array>

#include "fault_kinds.h"
#include "units.h"

namespace sustain {

enum class Preset { kTalk, kMusic, kClassical };

/** How long a condition must hold, beyond the window it is seen in, before it counts, and how long it must be gone. */
struct Delays {
  double tripSeconds;
  double restoreSeconds;
};

/** Thresholds of the programme faults. Trip and restore thresholds differ, so that a value between them changes nothing. */
struct FaultRules {
  std::array<Delays, kFaultKinds> delays;
  /** Steady sound up to this level is noise; louder steady sound might be rain or applause. */
  double noiseCeilingDbfs = -35.0;
  /** Steady noise under this level is silence. */
  double noiseFloorDbfs = -65.0;
  /** Sound under this level is silence and no other fault. */
  double silenceDbfs = -75.0;
  double channelDifferenceDb = 30.0;
  double channelRestoreDb = 24.0;
  double invertedCorrelation = -0.3;
  double invertedRestoreCorrelation = -0.1;
  double alarmRepeats = 3.0;
  double alarmLeastSeconds = 15.0;
  double faultRepeats = 5.0;
  double faultLeastSeconds = 20.0;
  /** When the repetitions are alike only as a codec at its lowest rate leaves them. */
  double alarmLeastWornSeconds = 24.0;
  double faultLeastWornSeconds = 30.0;
  /**
   * Samples at or over full scale. The hottest master measured has 0.4 % as released, and over 2.5 % after AAC at
   * 32 kbit/s, where every player clips it: that is noticed too.
   */
  double clippedPercent = 1.5;
  double clippedRestorePercent = 0.5;
  /** NaN when the station has no target: then nothing is too loud or too quiet. */
  double targetLufs = kUndefined;
  double tooLoudLu = 5.0;
  double tooQuietLu = 9.0;
};

FaultRules rulesFor(Preset preset);

}  // namespace sustain
