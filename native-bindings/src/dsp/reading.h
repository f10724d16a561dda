#pragma once

#include <cstddef>
#include <cstdint>

#include "units.h"

namespace sustain {

/** Columns of a reading. JavaScript reads them by the same numbers: keep native-bindings/fields.ts in step. */
enum ReadingField : std::size_t {
  kSequence,
  kEndSeconds,
  kMomentaryLufs,
  kMomentaryMaxLufs,
  kShortTermLufs,
  kIntegratedLufs,
  kLoudnessRangeLu,
  kTruePeakDbtp,
  kSamplePeakDbfs,
  kCorrelation,
  kDcOffset,
  kClippedSamples,
  kInvalidSamples,
  kAudibleMs,
  kAudibleWarnMs,
  kModulatedMs,
  kModulationDb,
  kFaults,
  kWarnings,
  kRmsDbfs,
  kReadingFields = kRmsDbfs + kMaxChannels
};

/** Rows of readings in memory that somebody else owns; the n-th reading (from 0) is in row n % capacity. */
struct ReadingRing {
  double* rows = nullptr;
  std::size_t capacity = 0;
  std::uint64_t written = 0;

  double* next() { return rows + (written++ % capacity) * kReadingFields; }
};

}  // namespace sustain
