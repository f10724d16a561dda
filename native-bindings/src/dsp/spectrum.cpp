#include "spectrum.h"

#include <algorithm>
#include <cmath>

#include "units.h"

namespace sustain {

namespace {

constexpr std::size_t kLargestSize = 4096;
// A Hann window spreads a sine over four bins; half of one more allows for it lying between bins.
constexpr std::ptrdiff_t kPeakHalfWidth = 3;

}  // namespace

Spectrum::Spectrum(double sampleRateHz, int blockFrames)
    : sampleRateHz_(sampleRateHz),
      fft_(std::min(kLargestSize, powerOfTwoFor(static_cast<std::size_t>(blockFrames) / 2 + 1))),
      size_(fft_.length()),
      window_(size_),
      values_(size_),
      power_(size_ / 2) {
  for (std::size_t i = 0; i < size_; ++i) {
    const double turn = static_cast<double>(i) / static_cast<double>(size_);
    window_[i] = static_cast<float>(0.5 - 0.5 * std::cos(2.0 * kPi * turn));
  }
}

StrongestPeak Spectrum::strongestPeak(const float* samples, int frames) {
  const float* last = samples + frames - static_cast<std::ptrdiff_t>(size_);
  double mean = 0.0;
  for (std::size_t i = 0; i < size_; ++i) mean += last[i];
  mean /= static_cast<double>(size_);
  for (std::size_t i = 0; i < size_; ++i) values_[i] = (last[i] - static_cast<float>(mean)) * window_[i];
  fft_.forward(values_.data());

  double total = 0.0;
  for (std::size_t i = 0; i < power_.size(); ++i) {
    power_[i] = std::norm(values_[i]);
    total += power_[i];
  }
  if (total < 1e-12) return {};
  const std::ptrdiff_t peak = std::max_element(power_.begin() + 1, power_.end()) - power_.begin();
  double within = 0.0;
  double moment = 0.0;
  const auto end = std::min<std::ptrdiff_t>(peak + kPeakHalfWidth + 1, static_cast<std::ptrdiff_t>(power_.size()));
  for (std::ptrdiff_t bin = std::max<std::ptrdiff_t>(0, peak - kPeakHalfWidth); bin < end; ++bin) {
    const double value = power_[static_cast<std::size_t>(bin)];
    within += value;
    moment += value * static_cast<double>(bin);
  }
  return {moment / within * sampleRateHz_ / static_cast<double>(size_), within / total};
}

}  // namespace sustain
