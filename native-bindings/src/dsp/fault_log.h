#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "fault_kinds.h"
#include "fault_rules.h"
#include "units.h"

namespace sustain {

/** From when to when a fault was there, in seconds of audio; endSeconds is NaN while it lasts. */
struct FaultEpisode {
  FaultKind kind = kNoiseOnly;
  double startSeconds = 0.0;
  /** When the fault was established: start, window and trip delay together. */
  double tripSeconds = 0.0;
  double endSeconds = kUndefined;
  Evidence evidence{};
};

/** What the signs say in one second; kUnclear when the programme was too quiet to tell. */
enum class Sign { kAbsent, kUnclear, kPresent };

/**
 * Turns signs, one a second, into faults that trip and restore by their delays. A short interruption sets the delay back
 * by five times its length, so that a click or a splice doesn't start the wait again.
 */
class FaultLog {
 public:
  explicit FaultLog(const FaultRules& rules) : rules_(rules) { episodes_.reserve(kEpisodes); }
  /** `lastedSeconds` is how far back the condition began; it counts only for the first sign. */
  void note(FaultKind kind, Sign sign, double nowSeconds, double lastedSeconds, const Evidence& evidence);
  /** Whether there were signs of it already. */
  bool begun(FaultKind kind) const { return states_[kind].active || states_[kind].presentSeconds > 0.0; }
  /** Lets the delay of a fault that hasn't tripped begin anew. */
  void startAgain(FaultKind kind);
  void reset();
  bool active(FaultKind kind) const { return states_[kind].active; }
  /** Bits of the active kinds from `first` to before `end`. */
  std::uint32_t bits(std::size_t first, std::size_t end) const;
  /** Oldest first, at most 64; older ones are forgotten. */
  const std::vector<FaultEpisode>& episodes() const { return episodes_; }

 private:
  static constexpr std::size_t kEpisodes = 64;
  struct State {
    bool active = false;
    double presentSeconds = 0.0;
    double absentSeconds = 0.0;
    double sinceSeconds = kUndefined;
    double absentSinceSeconds = kUndefined;
  };
  void trip(FaultKind kind, double nowSeconds, const Evidence& evidence);
  void restore(FaultKind kind);
  FaultEpisode* current(FaultKind kind);

  FaultRules rules_;
  std::array<State, kFaultKinds> states_{};
  std::vector<FaultEpisode> episodes_;
};

}  // namespace sustain
