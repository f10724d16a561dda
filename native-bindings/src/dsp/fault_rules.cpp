#include "fault_rules.h"

namespace sustain {

namespace {

FaultRules musicRules() {
  FaultRules rules;
  rules.delays.fill({5.0, 5.0});
  rules.delays[kNoiseOnly] = {3.0, 3.0};
  rules.delays[kTone] = {2.0, 3.0};
  // Longer than a solo that is panned to one side usually lasts.
  rules.delays[kChannelLost] = {15.0, 5.0};
  rules.delays[kPhaseInverted] = {3.0, 5.0};
  // These count repeats themselves.
  rules.delays[kStuckLoop] = {0.0, 2.0};
  rules.delays[kLoopSuspected] = {0.0, 2.0};
  rules.delays[kMono] = {20.0, 2.0};
  return rules;
}

}  // namespace

FaultRules rulesFor(Preset preset) {
  FaultRules rules = musicRules();
  switch (preset) {
    case Preset::kTalk:
      rules.delays[kNoiseOnly] = {2.0, 2.0};
      rules.delays[kChannelLost] = {10.0, 3.0};
      rules.tooLoudLu = 6.0;
      rules.tooQuietLu = 10.0;
      break;
    case Preset::kMusic:
      break;
    case Preset::kClassical:
      // Held chords and distant choirs: as long as the 25 s in which line noise must be found allow.
      rules.delays[kNoiseOnly] = {10.0, 3.0};
      rules.delays[kTone] = {8.0, 3.0};
      rules.delays[kChannelLost] = {20.0, 5.0};
      rules.tooLoudLu = 8.0;
      rules.tooQuietLu = 18.0;
      break;
  }
  return rules;
}

}  // namespace sustain
