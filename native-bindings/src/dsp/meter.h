#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "audibility.h"
#include "block.h"
#include "fault_watch.h"
#include "levels.h"
#include "loudness.h"
#include "reading.h"
#include "true_peak.h"

namespace sustain {

struct MeterSettings {
  /** Whole number of hertz, 8000 to 192000. */
  double sampleRateHz = 48000.0;
  /** 1 to 6: mono, L R, L R C, L R Ls Rs, L R C Ls Rs, L R C LFE Ls Rs. */
  int channels = 2;
  AudibilitySettings audibility;
  /** Nothing: only the figures are wanted, and no fault is looked for. */
  std::optional<FaultRules> faults = rulesFor(Preset::kMusic);
};

/** Figures over everything heard since construction or reset. */
struct Summary {
  double durationSeconds = 0.0;
  double integratedLufs = kUndefined;
  double loudnessRangeLu = kUndefined;
  double maxMomentaryLufs = kMinusInfinity;
  double maxShortTermLufs = kMinusInfinity;
  double truePeakDbtp = kMinusInfinity;
  double samplePeakDbfs = kMinusInfinity;
  double correlation = kUndefined;
  double clippedSamples = 0.0;
  double invalidSamples = 0.0;
  std::array<double, kMaxChannels> rmsDbfs{};
  std::array<double, kMaxChannels> dcOffset{};
};

/**
 * Measures one leg: interleaved float samples in, one reading for every 100 ms out, whatever the lengths of the pieces.
 * It allocates only when constructed.
 */
class Meter {
 public:
  explicit Meter(const MeterSettings& settings);
  /** Returns the number of readings written to `ring`. */
  std::size_t push(const float* interleaved, std::size_t frames, ReadingRing& ring);
  void reset();
  void resetIntegrated() { loudness_.resetIntegrated(); }
  Summary summary();
  /** Null when no faults are looked for. */
  const FaultLog* faults() const { return faultWatch_ ? &faultWatch_->log() : nullptr; }
  int channels() const { return settings_.channels; }

 private:
  static constexpr std::size_t kSecondBlocks = 10;
  /** What the one-second figures (correlation, offset) are summed from. */
  struct StereoSums {
    double left = 0.0;
    double right = 0.0;
    double products = 0.0;
    std::array<double, kMaxChannels> mean{};
  };
  struct Totals {
    double frames = 0.0;
    double products = 0.0;
    double truePeak = 0.0;
    double samplePeak = 0.0;
    double clippedSamples = 0.0;
    double invalidSamples = 0.0;
    std::array<double, kMaxChannels> squares{};
    std::array<double, kMaxChannels> sum{};
  };
  void measure(const Block& block, ReadingRing& ring);
  void addUp(const Block& block, double truePeak);
  void writeReading(const Block& block, double truePeak, double* row, std::uint64_t sequence) const;
  double secondCorrelation() const;
  double secondOffset() const;

  MeterSettings settings_;
  BlockAssembler assembler_;
  Levels levels_;
  Loudness loudness_;
  TruePeak truePeak_;
  Audibility audibility_;
  std::optional<FaultWatch> faultWatch_;
  std::array<StereoSums, kSecondBlocks> second_{};
  Totals totals_;
  std::uint64_t blockCount_ = 0;
};

}  // namespace sustain
