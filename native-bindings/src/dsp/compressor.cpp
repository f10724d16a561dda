#include "compressor.h"

#include <algorithm>
#include <cmath>

#include "decibels.h"

namespace sustain {

namespace {

enum Law { kThreshold, kHalfKnee, kSlope, kAttack, kRelease, kAveraging, kGain };

/** How much of the way is gone in each of so many frames, for a time constant. */
double shareOf(double milliseconds, double frames) {
  return 1.0 - std::exp(-frames / (milliseconds / 1000.0 * kChainRateHz));
}

/** Power is averaged over two periods of the lowest sound of a band, or its own wave would be taken for a change of level. */
double averagingMs(double lowestHz) { return std::clamp(2000.0 / lowestHz, 2.0, 25.0); }

}  // namespace

void Compressor::configure(const ChainSettings& settings) {
  crossover_.configure(settings.crossoverHz);
  for (std::size_t band = 0; band < 8; ++band) {
    // The idle lanes do what the fifth band does.
    const std::size_t meant = std::min(band, kBands - 1);
    const BandSettings& b = settings.bands[meant];
    const double lowestHz = meant == 0 ? 40.0 : settings.crossoverHz[meant - 1];
    const double law[7] = {settings.loudnessLufs + b.thresholdDb,
                           b.kneeDb / 2.0,
                           1.0 / b.ratio - 1.0,
                           shareOf(b.attackMs, kGroupFrames),
                           shareOf(b.releaseMs, kGroupFrames),
                           shareOf(averagingMs(lowestHz), kGroupFrames),
                           b.gainDb};
    for (int row = 0; row < 7; ++row) {
      Float4& lanes = band < 4 ? firstLaw_[row] : lastLaw_[row];
      lanes[band % 4] = static_cast<float>(law[row]);
    }
  }
}

Compressor::PerBand Compressor::groupPower(Float4 low, Float4 middle, Float4 high) const {
  const Float4 first = most4(evensOf(low, middle), oddsOf(low, middle)) * (1.0f / kGroupFrames);
  const float last = std::max(high[2], high[3]) * (1.0f / kGroupFrames);
  return {first, splat4(last)};
}

Float4 Compressor::followed(Float4 power, Float4& smooth, Float4& reduction, const Float4 (&law)[7]) {
  smooth += (power - smooth) * law[kAveraging];
  // The knee bends from no reduction to the full slope over its width (Giannoulis, Massberg and Reiss, JAES 60/6, 2012).
  const Float4 over = powerToDb4(smooth) - law[kThreshold];
  const Float4 knee = law[kHalfKnee];
  const Float4 into = most4(over + knee, splat4(0.0f));
  const Float4 bent = into * into / most4(4.0f * knee, splat4(1e-6f));
  const Float4 wanted = law[kSlope] * select4(over > knee, over, bent);
  const Float4 share = select4(wanted < reduction, law[kAttack], law[kRelease]);
  reduction += (wanted - reduction) * share;
  return dbToGain4(reduction + law[kGain]);
}

void Compressor::follow(const PerBand& power) {
  gain_.first = followed(power.first, smoothPower_.first, reductionDb_.first, firstLaw_);
  gain_.last = followed(power.last, smoothPower_.last, reductionDb_.last, lastLaw_);
  mostReductionDb_.first = least4(mostReductionDb_.first, reductionDb_.first);
  mostReductionDb_.last = least4(mostReductionDb_.last, reductionDb_.last);
}

SUSTAIN_CLONES
void Compressor::process(float* interleaved) {
  std::array<BandFrame, kChunkFrames> frames;
  crossover_.split(interleaved, frames.data());
  for (std::size_t first = 0; first < kChunkFrames; first += kGroupFrames) {
    const BandFrame* group = frames.data() + first;
    Float4 low{}, middle{}, high{};
    for (std::size_t i = 0; i < kGroupFrames; ++i) {
      low += group[i].low * group[i].low;
      middle += group[i].middle * group[i].middle;
      high += group[i].high * group[i].high;
    }
    const PerBand before = gain_;
    follow(groupPower(low, middle, high));
    weigh(group, before, interleaved + 2 * first);
  }
}

void Compressor::weigh(const BandFrame* group, const PerBand& before, float* interleaved) const {
  const auto spread = [](float a, float b) { return Float4{a, a, b, b}; };
  Float4 low = spread(before.first[0], before.first[1]);
  Float4 middle = spread(before.first[2], before.first[3]);
  Float4 high = splat4(before.last[0]);
  constexpr float kPerFrame = 1.0f / kGroupFrames;
  const Float4 lowStep = (spread(gain_.first[0], gain_.first[1]) - low) * kPerFrame;
  const Float4 middleStep = (spread(gain_.first[2], gain_.first[3]) - middle) * kPerFrame;
  const Float4 highStep = (splat4(gain_.last[0]) - high) * kPerFrame;
  for (std::size_t i = 0; i < kGroupFrames; ++i) {
    low += lowStep;
    middle += middleStep;
    high += highStep;
    const Float4 sum = group[i].low * low + group[i].middle * middle;
    const Float4 top = group[i].high * high;
    storePair(interleaved + 2 * i, sum + lastHalves(sum, sum) + lastHalves(top, top));
  }
}

double Compressor::reductionDb(std::size_t band) const {
  const float reduction = band < 4 ? mostReductionDb_.first[static_cast<int>(band)] : mostReductionDb_.last[0];
  return -static_cast<double>(reduction);
}

void Compressor::forgetReductions() { mostReductionDb_ = reductionDb_; }

}  // namespace sustain
