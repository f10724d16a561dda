#include "spectrum.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <memory>
#include <vector>

#include "fft.h"
#include "units.h"

namespace sustain {

namespace {

constexpr std::size_t kLargestSize = 4096;
/** Powers of two down to the least there is, 2. */
constexpr std::size_t kSizes = 12;
// A Hann window spreads a sine over four bins; half of one more allows for it lying between bins.
constexpr std::ptrdiff_t kPeakHalfWidth = 3;

/** What a look at a stretch of one length needs, and keeps nothing in that a later look would want. */
struct Workplace {
  explicit Workplace(std::size_t size) : fft(size), window(size), values(size), power(size / 2) {
    for (std::size_t i = 0; i < size; ++i) {
      const double turn = static_cast<double>(i) / static_cast<double>(size);
      window[i] = static_cast<float>(0.5 - 0.5 * std::cos(2.0 * kPi * turn));
    }
  }
  Fft fft;
  std::vector<float> window;
  std::vector<std::complex<float>> values;
  std::vector<double> power;
};

/** One for all legs of a thread, as they look one after another: each of its own would be a sixth of a leg's memory. */
Workplace& workplaceOf(std::size_t size) {
  thread_local std::array<std::unique_ptr<Workplace>, kSizes> places;
  std::size_t index = 0;
  while ((kLargestSize >> index) > size) ++index;
  if (!places[index]) places[index] = std::make_unique<Workplace>(size);
  return *places[index];
}

}  // namespace

Spectrum::Spectrum(double sampleRateHz, int blockFrames)
    : sampleRateHz_(sampleRateHz),
      size_(std::min(kLargestSize, powerOfTwoFor(static_cast<std::size_t>(blockFrames) / 2 + 1))) {
  // Made now, so that nothing is allocated while a leg is measured.
  workplaceOf(size_);
}

StrongestPeak Spectrum::strongestPeak(const float* samples, int frames) {
  auto& [fft, window, values, power] = workplaceOf(size_);
  const float* last = samples + frames - static_cast<std::ptrdiff_t>(size_);
  double mean = 0.0;
  for (std::size_t i = 0; i < size_; ++i) mean += last[i];
  mean /= static_cast<double>(size_);
  for (std::size_t i = 0; i < size_; ++i) values[i] = (last[i] - static_cast<float>(mean)) * window[i];
  fft.forward(values.data());

  double total = 0.0;
  for (std::size_t i = 0; i < power.size(); ++i) {
    power[i] = std::norm(values[i]);
    total += power[i];
  }
  if (total < 1e-12) return {};
  const std::ptrdiff_t peak = std::max_element(power.begin() + 1, power.end()) - power.begin();
  double within = 0.0;
  double moment = 0.0;
  const auto end = std::min<std::ptrdiff_t>(peak + kPeakHalfWidth + 1, static_cast<std::ptrdiff_t>(power.size()));
  for (std::ptrdiff_t bin = std::max<std::ptrdiff_t>(0, peak - kPeakHalfWidth); bin < end; ++bin) {
    const double value = power[static_cast<std::size_t>(bin)];
    within += value;
    moment += value * static_cast<double>(bin);
  }
  return {moment / within * sampleRateHz_ / static_cast<double>(size_), within / total};
}

}  // namespace sustain
