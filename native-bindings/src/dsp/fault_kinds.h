#pragma once

#include <array>
#include <cstddef>

namespace sustain {

/** Bit numbers in the faults and warnings of a reading. Keep native-bindings/fields.ts in step. */
enum FaultKind : std::size_t {
  kNoiseOnly,
  kTone,
  kChannelLost,
  kPhaseInverted,
  kStuckLoop,
  kFirstWarning,
  kClipped = kFirstWarning,
  kTooLoud,
  kTooQuiet,
  kMono,
  kLoopSuspected,
  kFaultKinds
};

constexpr std::size_t kEvidenceValues = 4;

/** Names of a kind of fault and of the numbers that are its evidence; a null name ends the list. */
struct FaultDescription {
  const char* name;
  std::array<const char*, kEvidenceValues> evidence;
};

constexpr std::array<FaultDescription, kFaultKinds> kFaultDescriptions{{
    {"noise-only", {"levelDbfs", "levelRangeDb", "strongestHz", "strongestShare"}},
    {"tone", {"levelDbfs", "levelRangeDb", "frequencyHz", "share"}},
    {"channel-lost", {"leftDbfs", "rightDbfs", "differenceDb", nullptr}},
    {"phase-inverted", {"correlation", "leftDbfs", "rightDbfs", nullptr}},
    {"stuck-loop", {"periodSeconds", "repeats", "matchedSeconds", "similarity"}},
    {"clipped", {"clippedPercent", nullptr, nullptr, nullptr}},
    {"too-loud", {"loudnessLufs", "targetLufs", nullptr, nullptr}},
    {"too-quiet", {"loudnessLufs", "targetLufs", nullptr, nullptr}},
    {"mono", {"differenceDb", nullptr, nullptr, nullptr}},
    {"loop-suspected", {"periodSeconds", "repeats", "matchedSeconds", "similarity"}},
}};

using Evidence = std::array<double, kEvidenceValues>;

}  // namespace sustain
