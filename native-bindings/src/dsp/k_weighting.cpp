#include "k_weighting.h"

#include <cmath>
#include <complex>

namespace sustain {

namespace {

constexpr double kStandardRateHz = 48000.0;
// 0 dBFS at 997 Hz in one channel reads -3.01 LKFS (BS.1770-5, Annex 1).
constexpr double kCalibrationHz = 997.0;
// ITU-R BS.1770-5, Annex 1, Table 1 (stage 1) and Table 2 (stage 2).
constexpr Biquad kShelf48k{1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585};
constexpr Biquad kHighPass48k{1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621};

// A vector type of the compiler's own: two channels are filtered with one instruction on any CPU.
using Pair = double __attribute__((vector_size(16)));

/** The frequency and damping a second-order denominator was designed for, by inverting the bilinear transform. */
struct Resonance {
  double cornerRadians;
  double q;
};

Resonance resonanceOf(const Biquad& section) {
  const double a0 = 4.0 / (1.0 - section.a1 + section.a2);
  const double k = std::sqrt((1.0 + section.a1 + section.a2) / (1.0 - section.a1 + section.a2));
  const double kOverQ = (1.0 - section.a2) * a0 / 2.0;
  return {std::atan(k), k / kOverQ};
}

double gainAt(const Biquad& section, double cyclesPerSample) {
  const std::complex<double> z = std::polar(1.0, -2.0 * kPi * cyclesPerSample);
  return std::abs((section.b0 + z * (section.b1 + z * section.b2)) / (1.0 + z * (section.a1 + z * section.a2)));
}

}  // namespace

KWeightingCoefficients kWeightingFor(double sampleRateHz) {
  const double ratio = kStandardRateHz / sampleRateHz;

  const Resonance shelf = resonanceOf(kShelf48k);
  const double highGain = (kShelf48k.b0 - kShelf48k.b1 + kShelf48k.b2) / (1.0 - kShelf48k.a1 + kShelf48k.a2);
  const double midGain = (kShelf48k.b0 - kShelf48k.b2) / (1.0 - kShelf48k.a2);
  const double k1 = std::tan(shelf.cornerRadians * ratio);
  const double d1 = 1.0 + k1 / shelf.q + k1 * k1;
  const Biquad shelfSection{(highGain + midGain * k1 / shelf.q + k1 * k1) / d1, 2.0 * (k1 * k1 - highGain) / d1,
                            (highGain - midGain * k1 / shelf.q + k1 * k1) / d1, 2.0 * (k1 * k1 - 1.0) / d1,
                            (1.0 - k1 / shelf.q + k1 * k1) / d1};

  const Resonance highPass = resonanceOf(kHighPass48k);
  const double k2 = std::tan(highPass.cornerRadians * ratio);
  const double d2 = 1.0 + k2 / highPass.q + k2 * k2;
  Biquad highPassSection{1.0, -2.0, 1.0, 2.0 * (k2 * k2 - 1.0) / d2, (1.0 - k2 / highPass.q + k2 * k2) / d2};

  // The bilinear transform bends the shelf at low rates; the calibration frequency at least must read the same at all.
  const double standardGain = gainAt(kShelf48k, kCalibrationHz / kStandardRateHz) *
                              gainAt(kHighPass48k, kCalibrationHz / kStandardRateHz);
  const double gain = standardGain / (gainAt(shelfSection, kCalibrationHz / sampleRateHz) *
                                      gainAt(highPassSection, kCalibrationHz / sampleRateHz));
  highPassSection.b0 *= gain;
  highPassSection.b1 *= gain;
  highPassSection.b2 *= gain;
  return {shelfSection, highPassSection};
}

KWeighting::KWeighting(double sampleRateHz, int channels)
    : coefficients_(kWeightingFor(sampleRateHz)), channels_(channels) {}

void KWeighting::reset() { states_ = {}; }

void KWeighting::process(const Block& block, WeightedEnergies& energies) {
  const Biquad& s = coefficients_.shelf;
  const Biquad& h = coefficients_.highPass;
  const double gainSquared = h.b0 * h.b0;
  for (int c = 0; c < channels_; c += 2) {
    const auto first = static_cast<std::size_t>(c);
    const bool paired = c + 1 < channels_;
    const float* a = block.channel[first];
    const float* b = paired ? block.channel[first + 1] : a;
    PairState& state = states_[first / 2];
    Pair v[6];
    for (int i = 0; i < 6; ++i) v[i] = Pair{state.history[i][0], state.history[i][1]};
    Pair x1 = v[0], x2 = v[1], y1 = v[2], y2 = v[3], z1 = v[4], z2 = v[5];
    int i = 0;
    for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
      Pair sum{0.0, 0.0};
      for (; i < block.stepEnd[step]; ++i) {
        // Direct form I: only one multiply and one add lie on the path from one output to the next.
        const Pair x{static_cast<double>(a[i]), static_cast<double>(b[i])};
        const Pair y = ((s.b0 * x + s.b1 * x1 + s.b2 * x2) - s.a2 * y2) - s.a1 * y1;
        const Pair z = ((y - 2.0 * y1 + y2) - h.a2 * z2) - h.a1 * z1;
        sum += z * z;
        x2 = x1;
        x1 = x;
        y2 = y1;
        y1 = y;
        z2 = z1;
        z1 = z;
      }
      energies.sumOfSquares[first][step] = sum[0] * gainSquared;
      if (paired) energies.sumOfSquares[first + 1][step] = sum[1] * gainSquared;
    }
    const Pair out[6] = {x1, x2, y1, y2, z1, z2};
    for (int n = 0; n < 6; ++n) {
      // A decaying filter would otherwise end in denormal numbers, which are very slow.
      for (int side = 0; side < 2; ++side) state.history[n][side] = std::fabs(out[n][side]) < 1e-30 ? 0.0 : out[n][side];
    }
  }
}

}  // namespace sustain
