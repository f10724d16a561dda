#include "k_weighting.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>

#include "simd.h"

namespace sustain {

namespace {

constexpr double kStandardRateHz = 48000.0;
// 0 dBFS at 997 Hz in one channel reads -3.01 LKFS (BS.1770-5, Annex 1).
constexpr double kCalibrationHz = 997.0;
// ITU-R BS.1770-5, Annex 1, Table 1 (stage 1) and Table 2 (stage 2).
constexpr Biquad kShelf48k{1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585};
constexpr Biquad kHighPass48k{1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621};

/** How many frames the second stage is behind the first. */
constexpr int kLate = 4;

// Vector types of the compiler's own: two channels are filtered with one instruction on any CPU, and both stages of two
// where it has registers so wide.
using Pair = double __attribute__((vector_size(16)));
using Quad = double __attribute__((vector_size(32)));

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

SUSTAIN_INSIDE void join(Pair first, Pair second, Quad& out) {
  Float8 both;
  joinFours<true>(reinterpret_cast<Float4>(first), reinterpret_cast<Float4>(second), both);
  out = reinterpret_cast<Quad>(both);
}

SUSTAIN_INSIDE Pair firstOf(const Quad& both) {
  return reinterpret_cast<Pair>(firstFour<true>(reinterpret_cast<const Float8&>(both)));
}

SUSTAIN_INSIDE Pair secondOf(const Quad& both) {
  return reinterpret_cast<Pair>(lastFour<true>(reinterpret_cast<const Float8&>(both)));
}

SUSTAIN_INSIDE Pair both(double value) { return Pair{value, value}; }

SUSTAIN_INSIDE Pair frameOf(const float* a, const float* b, int i) {
  return Pair{static_cast<double>(a[i]), static_cast<double>(b[i])};
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

/** One stage on a pair of channels in direct form I, `b0` left out: what it amplifies by is made up for in the energies. */
struct KWeighting::Stage {
  Pair b1, b2, a1, a2;
  Pair x1, x2, y1, y2;

  SUSTAIN_INSIDE void step(Pair x) {
    const Pair y = ((x + b1 * x1 + b2 * x2) - a2 * y2) - a1 * y1;
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
  }
};

/**
 * Both stages side by side, two frames in one step: the second one's output is put in terms of what came out before both,
 * so that it doesn't wait for the first.
 */
struct KWeighting::Stages {
  Quad b1, b2, a1, a2;
  Quad x1, x2, y1, y2;
  Quad first, second, third, before1, before2;

  SUSTAIN_INSIDE Stages(const Stage& shelf, const Stage& highPass) {
    join(shelf.b1, highPass.b1, b1);
    join(shelf.b2, highPass.b2, b2);
    join(shelf.a1, highPass.a1, a1);
    join(shelf.a2, highPass.a2, a2);
    join(shelf.x1, highPass.x1, x1);
    join(shelf.x2, highPass.x2, x2);
    join(shelf.y1, highPass.y1, y1);
    join(shelf.y2, highPass.y2, y2);
    first = b1 - a1;
    second = b2 - a1 * b1;
    third = a1 * b2;
    before1 = a1 * a1 - a2;
    before2 = a1 * a2;
  }

  SUSTAIN_INSIDE void leave(Stage& shelf, Stage& highPass) const {
    shelf.x1 = firstOf(x1);
    shelf.x2 = firstOf(x2);
    highPass.x1 = secondOf(x1);
    highPass.x2 = secondOf(x2);
    highPass.y1 = secondOf(y1);
    highPass.y2 = secondOf(y2);
  }

  SUSTAIN_INSIDE void step(const Quad& x) {
    const Quad y = ((x + b1 * x1 + b2 * x2) - a2 * y2) - a1 * y1;
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
  }

  SUSTAIN_INSIDE void step(const Quad& x, const Quad& next) {
    const Quad y = ((b1 * x1 + b2 * x2 + x) - a2 * y2) - a1 * y1;
    const Quad after = ((((second * x1 - third * x2) + next) + first * x) + before2 * y2) + before1 * y1;
    x2 = x;
    x1 = next;
    y2 = y;
    y1 = after;
  }
};

void KWeighting::runNarrow(const Block& block, const float* a, const float* b, Stage& shelf, Stage& highPass,
                           Energies& energies) const {
  // Copies, as what is known to others by its place is kept in memory all the time.
  Stage first = shelf;
  Stage second = highPass;
  int i = 0;
  for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
    Pair sum{};
    for (; i < block.stepEnd[step]; ++i) {
      first.step(frameOf(a, b, i));
      second.step(first.y1);
      sum += second.y1 * second.y1;
    }
    energies[step] = {sum[0], sum[1]};
  }
  shelf = first;
  highPass = second;
}

/** The high-pass works on the frame that the shelf had four steps ago, so that neither waits for the other. */
SUSTAIN_CLONES
void KWeighting::runWide(const Block& block, const float* a, const float* b, Stage& shelf, Stage& highPass,
                         Energies& energies) const {
  std::array<Pair, kLate> late;
  for (int i = 0; i < kLate; ++i) {
    shelf.step(frameOf(a, b, i));
    late[static_cast<std::size_t>(i)] = shelf.y1;
  }
  Stages stages(shelf, highPass);
  int i = kLate;
  for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
    Quad sum{};
    const int end = std::min(block.stepEnd[step] + kLate, block.frames);
    Quad x, next;
    for (; i + 2 <= end; i += 2) {
      join(frameOf(a, b, i), late[0], x);
      join(frameOf(a, b, i + 1), late[1], next);
      stages.step(x, next);
      sum += stages.y2 * stages.y2;
      sum += stages.y1 * stages.y1;
      late = {late[2], late[3], firstOf(stages.y2), firstOf(stages.y1)};
    }
    if (i < end) {
      join(frameOf(a, b, i++), late[0], x);
      stages.step(x);
      sum += stages.y1 * stages.y1;
      late = {late[1], late[2], late[3], firstOf(stages.y1)};
    }
    const Pair energy = secondOf(sum);
    energies[step] = {energy[0], energy[1]};
  }
  stages.leave(shelf, highPass);
  shelf.y1 = late[3];
  shelf.y2 = late[2];
  for (const Pair& y : late) {
    highPass.step(y);
    for (std::size_t side = 0; side < 2; ++side) energies.back()[side] += highPass.y1[side] * highPass.y1[side];
  }
}

void KWeighting::process(const Block& block, WeightedEnergies& energies) {
  const Biquad& s = coefficients_.shelf;
  const Biquad& h = coefficients_.highPass;
  const double gain = s.b0 * h.b0;
  Energies found;
  for (int c = 0; c < channels_; c += 2) {
    const auto first = static_cast<std::size_t>(c);
    const bool paired = c + 1 < channels_;
    const float* a = block.channel[first];
    const float* b = paired ? block.channel[first + 1] : a;
    auto& history = states_[first / 2].history;
    const auto past = [&history](int n) { return Pair{history[n][0], history[n][1]}; };
    Stage shelf{both(s.b1 / s.b0), both(s.b2 / s.b0), both(s.a1), both(s.a2), past(0), past(1), past(2), past(3)};
    Stage highPass{both(-2.0), both(1.0), both(h.a1), both(h.a2), past(2), past(3), past(4), past(5)};
    if (hasWideVectors()) {
      runWide(block, a, b, shelf, highPass, found);
    } else {
      runNarrow(block, a, b, shelf, highPass, found);
    }
    for (std::size_t step = 0; step < kStepsPerBlock; ++step) {
      energies.sumOfSquares[first][step] = found[step][0] * gain * gain;
      if (paired) energies.sumOfSquares[first + 1][step] = found[step][1] * gain * gain;
    }
    const Pair out[6] = {shelf.x1, shelf.x2, shelf.y1, shelf.y2, highPass.y1, highPass.y2};
    for (int n = 0; n < 6; ++n) {
      // A decaying filter would otherwise end in denormal numbers, which are very slow.
      for (int side = 0; side < 2; ++side) history[n][side] = std::fabs(out[n][side]) < 1e-30 ? 0.0 : out[n][side];
    }
  }
}

}  // namespace sustain
