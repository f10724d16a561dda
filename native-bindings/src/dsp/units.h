#pragma once

#include <cmath>
#include <limits>

namespace sustain {

constexpr int kMaxChannels = 6;
constexpr int kStepsPerBlock = 10;
constexpr double kStepMs = 10.0;
constexpr double kBlockMs = 100.0;
constexpr double kMinSampleRateHz = 8000.0;
constexpr double kMaxSampleRateHz = 192000.0;
constexpr double kPi = 3.14159265358979323846;
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/** Amplitude (1.0 = full scale) to decibels; 0 gives minus infinity. */
inline double amplitudeToDb(double amplitude) {
  return amplitude > 0.0 ? 20.0 * std::log10(amplitude) : kMinusInfinity;
}

/** Mean square (1.0 = full-scale square wave) to decibels; 0 gives minus infinity. */
inline double powerToDb(double power) { return power > 0.0 ? 10.0 * std::log10(power) : kMinusInfinity; }

inline double dbToPower(double db) { return std::pow(10.0, db / 10.0); }

/** K-weighted, channel-weighted mean square to LUFS (ITU-R BS.1770-5, Annex 1, equation 2). */
inline double energyToLufs(double energy) { return energy > 0.0 ? -0.691 + 10.0 * std::log10(energy) : kMinusInfinity; }

inline double lufsToEnergy(double lufs) { return std::pow(10.0, (lufs + 0.691) / 10.0); }

}  // namespace sustain
