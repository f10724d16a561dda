#include "chain_settings.h"

#include <algorithm>

namespace sustain {

const std::array<const char*, 58> kChainParameters{
    "loudness",
    "ceiling",
    "highPass.on",
    "highPass.frequency",
    "rotator.on",
    "rotator.frequency",
    "leveller.on",
    "leveller.window",
    "leveller.speed",
    "leveller.maxGain",
    "leveller.maxCut",
    "leveller.gate",
    "leveller.guard",
    "compressor.on",
    "compressor.crossover1",
    "compressor.crossover2",
    "compressor.crossover3",
    "compressor.crossover4",
    "band1.threshold", "band1.ratio", "band1.knee", "band1.attack", "band1.release", "band1.gain",
    "band2.threshold", "band2.ratio", "band2.knee", "band2.attack", "band2.release", "band2.gain",
    "band3.threshold", "band3.ratio", "band3.knee", "band3.attack", "band3.release", "band3.gain",
    "band4.threshold", "band4.ratio", "band4.knee", "band4.attack", "band4.release", "band4.gain",
    "band5.threshold", "band5.ratio", "band5.knee", "band5.attack", "band5.release", "band5.gain",
    "equaliser.on",
    "equaliser.lowFrequency",
    "equaliser.lowGain",
    "equaliser.presenceFrequency",
    "equaliser.presenceGain",
    "equaliser.presenceWidth",
    "equaliser.highFrequency",
    "equaliser.highGain",
    "limiter.on",
    "limiter.release",
};

namespace {

/** Hands out the values in order. */
class Values {
 public:
  explicit Values(const double* next) : next_(next) {}
  double within(double least, double most) { return std::min(std::max(*next_++, least), most); }
  double hertz() { return within(5.0, 0.45 * kChainRateHz); }
  double milliseconds() { return within(0.1, 60000.0); }
  double decibels() { return within(-120.0, 60.0); }
  bool flag() { return *next_++ >= 0.5; }

 private:
  const double* next_;
};

}  // namespace

ChainSettings settingsFrom(const double* values) {
  Values next(values);
  ChainSettings s{};
  s.loudnessLufs = next.within(-70.0, 0.0);
  s.ceilingDbtp = next.within(-40.0, 0.0);
  s.highPassOn = next.flag();
  s.highPassHz = next.hertz();
  s.rotatorOn = next.flag();
  s.rotatorHz = next.hertz();
  s.leveller.on = next.flag();
  s.leveller.windowMs = next.milliseconds();
  s.leveller.speedMs = next.milliseconds();
  s.leveller.maxGainDb = next.within(0.0, 60.0);
  s.leveller.maxCutDb = next.within(0.0, 60.0);
  s.leveller.gateLufs = next.decibels();
  s.leveller.guardLu = next.within(0.0, 60.0);
  s.compressorOn = next.flag();
  double above = 0.0;
  for (double& crossover : s.crossoverHz) {
    crossover = std::max(next.hertz(), above);
    above = crossover;
  }
  for (BandSettings& band : s.bands) {
    band.thresholdDb = next.decibels();
    band.ratio = next.within(1.0, 100.0);
    band.kneeDb = next.within(0.0, 60.0);
    band.attackMs = next.milliseconds();
    band.releaseMs = next.milliseconds();
    band.gainDb = next.within(-60.0, 60.0);
  }
  s.equaliser.on = next.flag();
  s.equaliser.lowHz = next.hertz();
  s.equaliser.lowDb = next.within(-40.0, 40.0);
  s.equaliser.presenceHz = next.hertz();
  s.equaliser.presenceDb = next.within(-40.0, 40.0);
  s.equaliser.presenceQ = next.within(0.1, 20.0);
  s.equaliser.highHz = next.hertz();
  s.equaliser.highDb = next.within(-40.0, 40.0);
  s.limiterOn = next.flag();
  s.limiterReleaseMs = next.milliseconds();
  return s;
}

}  // namespace sustain
