#pragma once

#include <array>

#include "block.h"
#include "units.h"

namespace sustain {

/** Second-order section with a0 = 1. */
struct Biquad {
  double b0, b1, b2, a1, a2;
};

struct KWeightingCoefficients {
  Biquad shelf;
  Biquad highPass;
};

/**
 * The two stages of ITU-R BS.1770-5, Annex 1, Tables 1 and 2 (given there for 48 kHz), recomputed for the same corner
 * frequencies, Q and gain at 997 Hz, at any rate from 8 to 192 kHz. At 48 kHz these are the standard's own figures.
 */
KWeightingCoefficients kWeightingFor(double sampleRateHz);

/** Mean-square building blocks: the sum of squares of each K-weighted channel in each 10 ms step. */
struct WeightedEnergies {
  std::array<std::array<double, kStepsPerBlock>, kMaxChannels> sumOfSquares{};
};

class KWeighting {
 public:
  KWeighting(double sampleRateHz, int channels);
  void process(const Block& block, WeightedEnergies& energies);
  void reset();

 private:
  /** Past inputs and outputs of both stages, for two channels side by side. */
  struct PairState {
    double history[6][2];
  };
  /** Of two channels, by steps. */
  using Energies = std::array<std::array<double, 2>, kStepsPerBlock>;
  struct Stage;
  struct Stages;
  void runNarrow(const Block& block, const float* a, const float* b, Stage& shelf, Stage& highPass,
                 Energies& energies) const;
  void runWide(const Block& block, const float* a, const float* b, Stage& shelf, Stage& highPass,
               Energies& energies) const;

  KWeightingCoefficients coefficients_;
  int channels_;
  std::array<PairState, kMaxChannels / 2> states_{};
};

}  // namespace sustain
