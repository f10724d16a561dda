#include "chain.h"

#include <algorithm>
#include <cmath>

namespace sustain {

void Chain::configure(const ChainSettings& settings) {
  settings_ = settings;
  configureInput(input_, settings);
  leveller_.configure(settings);
  compressor_.configure(settings);
  configureEqualiser(equaliser_, settings);
  limiter_.configure(settings);
  trim_.configure(settings);
  if (!settings.leveller.on) makeup_.forget();
}

void Chain::process(float* interleaved) {
  loudness_.observe(input_, interleaved, lastOut_.data());
  if (settings_.leveller.on) {
    // What the trim does is meant, and not to be made up for.
    const double meant = leveller_.energyOut() * std::pow(10.0, trim_.gainDb() / 10.0);
    makeup_.observe(meant, loudness_.outEnergy(), leveller_.isSettled());
  }
  trim_.observe(loudness_.outEnergy());
  leveller_.process(interleaved, loudness_.inEnergy());
  if (settings_.compressorOn) compressor_.process(interleaved);
  equaliser_.process(interleaved);
  const auto makeup = static_cast<float>(std::pow(10.0, (makeup_.gainDb() + trim_.gainDb()) / 20.0));
  limiter_.process(interleaved, appliedMakeup_, makeup);
  appliedMakeup_ = makeup;
  std::copy(interleaved, interleaved + lastOut_.size(), lastOut_.begin());
}

ChainReading Chain::takeReading() {
  ChainReading reading{};
  reading.inMomentaryLufs = loudness_.inMomentaryLufs();
  reading.inShortTermLufs = loudness_.inShortTermLufs();
  reading.outMomentaryLufs = loudness_.outMomentaryLufs();
  reading.outShortTermLufs = loudness_.outShortTermLufs();
  reading.levellerGainDb = leveller_.gainDb();
  reading.makeupGainDb = makeup_.gainDb() + trim_.gainDb();
  for (std::size_t band = 0; band < kBands; ++band) {
    reading.bandReductionDb[band] = settings_.compressorOn ? compressor_.reductionDb(band) : 0.0;
  }
  reading.limiterReductionDb = settings_.limiterOn ? limiter_.reductionDb() : 0.0;
  compressor_.forgetReductions();
  limiter_.forgetReduction();
  return reading;
}

}  // namespace sustain
