#include "fault_log.h"

#include <algorithm>
#include <cmath>

namespace sustain {

namespace {

constexpr double kSecondsPerSign = 1.0;
constexpr double kInterruptionWeight = 5.0;
// Silence says little about a fault, but one that can't be heard any more ends some time.
constexpr double kUnclearWeight = 0.2;

}  // namespace

void FaultLog::reset() {
  states_ = {};
  episodes_.clear();
}

void FaultLog::startAgain(FaultKind kind) {
  if (!states_[kind].active) states_[kind] = {};
}

void FaultLog::note(FaultKind kind, Sign sign, double nowSeconds, double lastedSeconds, const Evidence& evidence) {
  State& state = states_[kind];
  const Delays& delays = rules_.delays[kind];
  if (sign == Sign::kPresent) {
    if (!begun(kind)) {
      state.sinceSeconds = std::max(0.0, nowSeconds - lastedSeconds);
      // The first sign opens the delay; the second one is a second into it.
      state.presentSeconds = 1e-9;
    } else {
      state.presentSeconds += kSecondsPerSign;
    }
    state.absentSeconds = std::max(0.0, state.absentSeconds - kInterruptionWeight * kSecondsPerSign);
    if (state.active) current(kind)->evidence = evidence;
    if (!state.active && state.presentSeconds >= delays.tripSeconds) trip(kind, nowSeconds, evidence);
    return;
  }
  const double weight = sign == Sign::kUnclear ? kUnclearWeight : 1.0;
  if (!state.active) {
    const double setBack = sign == Sign::kUnclear ? kUnclearWeight : kInterruptionWeight;
    state.presentSeconds = std::max(0.0, state.presentSeconds - setBack * kSecondsPerSign);
    return;
  }
  if (state.absentSeconds <= 0.0) state.absentSinceSeconds = nowSeconds - kSecondsPerSign;
  state.absentSeconds += weight * kSecondsPerSign;
  if (state.absentSeconds >= delays.restoreSeconds) restore(kind);
}

void FaultLog::trip(FaultKind kind, double nowSeconds, const Evidence& evidence) {
  State& state = states_[kind];
  state.active = true;
  state.absentSeconds = 0.0;
  if (episodes_.size() == kEpisodes) {
    // Faults that last are kept; if all of them last there are at most as many as kinds, and the oldest has ended.
    const auto ended = std::find_if(episodes_.begin(), episodes_.end(),
                                    [](const FaultEpisode& episode) { return !std::isnan(episode.endSeconds); });
    episodes_.erase(ended);
  }
  episodes_.push_back({kind, state.sinceSeconds, nowSeconds, kUndefined, evidence});
}

void FaultLog::restore(FaultKind kind) {
  State& state = states_[kind];
  FaultEpisode* episode = current(kind);
  episode->endSeconds = std::max(episode->startSeconds, state.absentSinceSeconds);
  state = {};
}

FaultEpisode* FaultLog::current(FaultKind kind) {
  for (auto episode = episodes_.rbegin(); episode != episodes_.rend(); ++episode) {
    if (episode->kind == kind) return &*episode;
  }
  return nullptr;
}

std::uint32_t FaultLog::bits(std::size_t first, std::size_t end) const {
  std::uint32_t bits = 0;
  for (std::size_t kind = first; kind < end; ++kind) {
    if (states_[kind].active) bits |= 1u << kind;
  }
  return bits;
}

}  // namespace sustain
