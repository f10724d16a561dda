#pragma once

#include <array>
#include <cstddef>

namespace sustain {

constexpr double kChainRateHz = 48000.0;
/** Everything is done in pieces of 10 ms, whatever the lengths that come in. */
constexpr std::size_t kChunkFrames = 480;
constexpr double kChunkSeconds = static_cast<double>(kChunkFrames) / kChainRateHz;
constexpr std::size_t kBands = 5;

struct BandSettings {
  /** Level of the band relative to the loudness target at which compression begins, in dB. */
  double thresholdDb;
  double ratio;
  double kneeDb;
  double attackMs;
  double releaseMs;
  double gainDb;
};

struct ChainSettings {
  double loudnessLufs;
  double ceilingDbtp;
  bool highPassOn;
  double highPassHz;
  bool rotatorOn;
  double rotatorHz;
  struct {
    bool on;
    /** How much programme is looked back on. */
    double windowMs;
    /** Time constant of small corrections; large ones are faster. */
    double speedMs;
    double maxGainDb;
    double maxCutDb;
    /** What is quieter than this is a pause. */
    double gateLufs;
    /** A burst is held to this much over the target, in LU. */
    double guardLu;
  } leveller;
  bool compressorOn;
  std::array<double, kBands - 1> crossoverHz;
  std::array<BandSettings, kBands> bands;
  struct {
    bool on;
    double lowHz, lowDb;
    double presenceHz, presenceDb, presenceQ;
    double highHz, highDb;
  } equaliser;
  bool limiterOn;
  double limiterReleaseMs;
};

/** In the order in which `settingsFrom` takes their values; JavaScript knows each by its name. */
extern const std::array<const char*, 58> kChainParameters;

/** Values are finite; what lies outside of sense is brought to the nearest that can be built. */
ChainSettings settingsFrom(const double* values);

}  // namespace sustain
