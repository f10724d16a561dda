#include "correlator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "fft.h"
#include "numbers.h"
#include "simd.h"
#include "units.h"

namespace sustain {

namespace {

constexpr std::size_t kStep = 8;
constexpr std::size_t kTaps = 64;
constexpr std::size_t kCandidates = 6;
/** Places closer than this, in coarse frames, are one place. */
constexpr std::size_t kApart = 4;
constexpr std::ptrdiff_t kFineReach = 12;
constexpr std::size_t kFineLags = 2 * kFineReach + 1;
constexpr std::size_t kLagsAtOnce = 5;
constexpr std::size_t kFineFrames = 24000;
/** A needle under this RMS (-66 dBFS) is no programme. */
constexpr double kLeastRms = 0.0005;
constexpr float kPreEmphasis = 0.9f;
/** A haystack window with less energy than this part of the needle's can't be the same sound at a usable level. */
constexpr double kLeastEnergyRatio = 1e-4;

/** Where a piece fits, and how well: the normalised correlation, with its sign. */
struct Fit {
  std::size_t lag = 0;
  double value = 0.0;
};

/** Low-pass for an eighth of the rate: a Hann-windowed sinc. */
const std::array<float, kTaps>& lowPass() {
  static const std::array<float, kTaps> taps = [] {
    std::array<float, kTaps> made{};
    double sum = 0.0;
    for (std::size_t i = 0; i < kTaps; ++i) {
      const double at = static_cast<double>(i) - (kTaps - 1) / 2.0;
      const double x = at * 0.9 / kStep;
      const double sinc = std::abs(x) < 1e-9 ? 1.0 : std::sin(kPi * x) / (kPi * x);
      const double value = sinc * (0.5 - 0.5 * std::cos(2.0 * kPi * (static_cast<double>(i) + 0.5) / kTaps));
      made[i] = static_cast<float>(value);
      sum += value;
    }
    for (float& tap : made) tap /= static_cast<float>(sum);
    return made;
  }();
  return taps;
}

/** An eighth of the rate, bass taken down. Both inputs get the same, so places correspond. */
std::vector<float> coarseOf(const std::vector<float>& mono) {
  if (mono.size() < kTaps) return {};
  const auto& taps = lowPass();
  const std::size_t frames = (mono.size() - kTaps) / kStep + 1;
  std::vector<float> coarse(frames);
  float before = 0.0f;
  for (std::size_t i = 0; i < frames; ++i) {
    Float4 sum = splat4(0.0f);
    const float* from = mono.data() + i * kStep;
    for (std::size_t t = 0; t < kTaps; t += 4) sum += load4(from + t) * load4(taps.data() + t);
    const float now = sumOf(sum);
    coarse[i] = i == 0 ? 0.0f : now - kPreEmphasis * before;
    before = now;
  }
  return coarse;
}

/** Of `frames` samples of `a` with those of `b`, and with those that begin one, two.. samples later. */
template <std::size_t Lags>
SUSTAIN_INSIDE void multiply(const float* a, const float* b, std::size_t frames, double* products) {
  for (std::size_t lag = 0; lag < Lags; ++lag) products[lag] = 0.0;
  for (std::size_t i = 0; i + 8 <= frames;) {
    Float8 sums[Lags] = {};
    for (const std::size_t end = std::min(frames / 8 * 8, i + 1024); i < end; i += 8) {
      Float8 x, y;
      std::memcpy(&x, a + i, sizeof x);
      for (std::size_t lag = 0; lag < Lags; ++lag) {
        std::memcpy(&y, b + i + lag, sizeof y);
        sums[lag] += x * y;
      }
    }
    for (std::size_t lag = 0; lag < Lags; ++lag) {
      products[lag] += static_cast<double>(sumOf(sumOfHalves(sums[lag])));
    }
  }
}

SUSTAIN_CLONES
void productsOf(const float* a, const float* b, std::size_t frames, std::size_t lags, double* products) {
  std::size_t lag = 0;
  for (; lag + kLagsAtOnce <= lags; lag += kLagsAtOnce) multiply<kLagsAtOnce>(a, b + lag, frames, products + lag);
  for (; lag < lags; ++lag) multiply<1>(a, b + lag, frames, products + lag);
}

double productOf(const float* a, const float* b, std::size_t frames) {
  double product = 0.0;
  productsOf(a, b, frames, 1, &product);
  return product;
}

double energyOf(const float* samples, std::size_t frames) { return productOf(samples, samples, frames); }

/** A needle of two seconds and places for three and a half more: what is transformed at once stays in the processor's cache. */
constexpr std::size_t kMostAtOnce = 32768;

/** Products of the needle with the haystack at every place where it fits: overlap-save, two blocks of places in each transform. */
std::vector<float> productsEverywhere(const std::vector<float>& needle, const std::vector<float>& haystack) {
  const std::size_t least = powerOfTwoFor(needle.size()) * 2;
  const std::size_t length = std::min(powerOfTwoFor(haystack.size()), std::max(kMostAtOnce, least));
  const std::size_t places = haystack.size() - needle.size() + 1;
  // Places that wrap around are those where the needle doesn't fit into the block.
  const std::size_t fitting = length - needle.size() + 1;
  const Fft fft(length);
  std::vector<std::complex<float>> piece(length);
  for (std::size_t i = 0; i < needle.size(); ++i) piece[i].real(needle[i]);
  fft.forward(piece.data());
  std::vector<float> products(places);
  std::vector<std::complex<float>> block(length);
  for (std::size_t from = 0; from < places; from += 2 * fitting) {
    const std::size_t second = from + fitting;
    for (std::size_t i = 0; i < length; ++i) {
      block[i] = {from + i < haystack.size() ? haystack[from + i] : 0.0f,
                  second + i < haystack.size() ? haystack[second + i] : 0.0f};
    }
    fft.forward(block.data());
    // Conjugated, with which forward is backward but for the sign of the second block.
    for (std::size_t k = 0; k < length; ++k) {
      const std::complex<float> x = block[k];
      const std::complex<float> h = piece[k];
      block[k] = {x.real() * h.real() + x.imag() * h.imag(), x.real() * h.imag() - x.imag() * h.real()};
    }
    fft.forward(block.data());
    const float scale = 1.0f / static_cast<float>(length);
    for (std::size_t i = 0; i < fitting && from + i < places; ++i) products[from + i] = block[i].real() * scale;
    for (std::size_t i = 0; i < fitting && second + i < places; ++i) products[second + i] = -block[i].imag() * scale;
  }
  return products;
}

/** Magnitude of the normalised correlation at every place where the needle fits. */
std::vector<float> coarseSearch(const std::vector<float>& needle, const std::vector<float>& haystack) {
  std::vector<float> found = productsEverywhere(needle, haystack);
  const double needleEnergy = energyOf(needle.data(), needle.size());
  double windowEnergy = energyOf(haystack.data(), needle.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double value = std::abs(static_cast<double>(found[i]));
    const bool loud = windowEnergy > needleEnergy * kLeastEnergyRatio && needleEnergy > 0.0;
    found[i] = loud ? static_cast<float>(value / std::sqrt(windowEnergy * needleEnergy)) : 0.0f;
    if (i + 1 == found.size()) break;
    const double leaving = haystack[i];
    const double entering = haystack[i + needle.size()];
    windowEnergy = std::max(0.0, windowEnergy - leaving * leaving + entering * entering);
  }
  return found;
}

std::vector<std::size_t> bestPlaces(const std::vector<float>& found) {
  std::vector<std::size_t> maxima;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool rises = i == 0 || found[i] >= found[i - 1];
    const bool falls = i + 1 == found.size() || found[i] > found[i + 1];
    if (rises && falls && found[i] > 0.0f) maxima.push_back(i);
  }
  std::sort(maxima.begin(), maxima.end(), [&](std::size_t a, std::size_t b) { return found[a] > found[b]; });
  std::vector<std::size_t> best;
  for (const std::size_t place : maxima) {
    const bool isNew = std::all_of(best.begin(), best.end(), [&](std::size_t other) {
      return (place > other ? place - other : other - place) >= kApart;
    });
    if (isNew) best.push_back(place);
    if (best.size() == kCandidates) break;
  }
  return best;
}

double runnerUpOf(const std::vector<float>& found, std::size_t best) {
  std::size_t from = best;
  std::size_t to = best;
  while (from > 0 && found[from - 1] < found[from]) --from;
  while (to + 1 < found.size() && found[to + 1] < found[to]) ++to;
  float most = 0.0f;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i < from || i > to) most = std::max(most, found[i]);
  }
  return found[best] > 0.0f ? static_cast<double>(most / found[best]) : 0.0;
}

double normalised(double product, double energyA, double energyB) {
  const double energy = std::sqrt(energyA * energyB);
  return energy > 0.0 ? product / energy : 0.0;
}

/** The best of up to `kFineLags` places, of which `hay` is the first, for `frames` frames of a needle of that energy. */
Fit bestFit(const float* needle, double needleEnergy, const float* hay, std::size_t frames, std::size_t lags) {
  std::array<double, kFineLags> products;
  productsOf(needle, hay, frames, lags, products.data());
  double energy = energyOf(hay, frames);
  Fit best;
  for (std::size_t lag = 0; lag < lags; ++lag) {
    const double value = normalised(products[lag], needleEnergy, energy);
    if (std::abs(value) > std::abs(best.value) || lag == 0) best = {lag, value};
    const double leaving = hay[lag];
    const double entering = hay[lag + frames];
    if (lag + 1 < lags) energy = std::max(0.0, energy - leaving * leaving + entering * entering);
  }
  return best;
}

}  // namespace

std::vector<float> monoOf(const float* interleaved, std::size_t frames) {
  std::vector<float> mono(frames);
  std::size_t i = 0;
  for (; i + 4 <= frames; i += 4) {
    const Float4 low = load4(interleaved + 2 * i);
    const Float4 high = load4(interleaved + 2 * i + 4);
    store4(mono.data() + i, 0.5f * (evensOf(low, high) + oddsOf(low, high)));
  }
  for (; i < frames; ++i) mono[i] = 0.5f * (interleaved[2 * i] + interleaved[2 * i + 1]);
  silenceNonNumbers(mono.data(), frames);
  return mono;
}

Correlation correlate(const std::vector<float>& needle, const std::vector<float>& haystack) {
  Correlation result;
  if (needle.size() < kTaps * 4 || haystack.size() < needle.size()) return result;
  const double needleEnergy = energyOf(needle.data(), needle.size());
  if (std::sqrt(needleEnergy / static_cast<double>(needle.size())) < kLeastRms) return result;
  const std::vector<float> likeness = coarseSearch(coarseOf(needle), coarseOf(haystack));
  const std::vector<std::size_t> places = bestPlaces(likeness);
  if (places.empty()) return result;

  const auto last = static_cast<std::ptrdiff_t>(haystack.size() - needle.size());
  const std::size_t fineFrames = std::min(kFineFrames, needle.size());
  const std::size_t middle = (needle.size() - fineFrames) / 2;
  const double fineEnergy = energyOf(needle.data() + middle, fineFrames);
  double best = -1.0;
  for (const std::size_t place : places) {
    const auto around = static_cast<std::ptrdiff_t>(place * kStep);
    const std::ptrdiff_t from = std::max<std::ptrdiff_t>(0, around - kFineReach);
    const std::ptrdiff_t to = std::min(last, around + kFineReach);
    if (to < from) continue;
    const Fit fit = bestFit(needle.data() + middle, fineEnergy, haystack.data() + from + middle, fineFrames,
                            static_cast<std::size_t>(to - from) + 1);
    if (std::abs(fit.value) <= best) continue;
    best = std::abs(fit.value);
    result.offset = from + static_cast<std::ptrdiff_t>(fit.lag);
    result.inverted = fit.value < 0.0;
  }
  result.heard = best >= 0.0;
  const float* found = haystack.data() + result.offset;
  result.peak = std::abs(normalised(productOf(needle.data(), found, needle.size()), needleEnergy,
                                    energyOf(found, needle.size())));
  result.runnerUp = runnerUpOf(likeness, places.front());
  return result;
}

}  // namespace sustain
