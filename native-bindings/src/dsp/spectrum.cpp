#include "spectrum.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "units.h"

namespace sustain {

namespace {

constexpr std::size_t kLargestSize = 4096;
// A Hann window spreads a sine over four bins; half of one more allows for it lying between bins.
constexpr std::ptrdiff_t kPeakHalfWidth = 3;

}  // namespace

Spectrum::Spectrum(double sampleRateHz, int blockFrames) : sampleRateHz_(sampleRateHz) {
  while (size_ * 2 <= kLargestSize && size_ * 2 <= static_cast<std::size_t>(blockFrames)) size_ *= 2;
  window_.resize(size_);
  twiddles_.resize(size_ / 2);
  values_.resize(size_);
  power_.resize(size_ / 2);
  for (std::size_t i = 0; i < size_; ++i) {
    window_[i] = static_cast<float>(0.5 - 0.5 * std::cos(2.0 * kPi * static_cast<double>(i) / static_cast<double>(size_)));
  }
  for (std::size_t i = 0; i < size_ / 2; ++i) {
    twiddles_[i] = std::polar(1.0f, static_cast<float>(-2.0 * kPi * static_cast<double>(i) / static_cast<double>(size_)));
  }
}

void Spectrum::transform() {
  for (std::size_t i = 1, j = 0; i < size_; ++i) {
    std::size_t bit = size_ / 2;
    for (; (j & bit) != 0; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(values_[i], values_[j]);
  }
  for (std::size_t half = 1; half < size_; half *= 2) {
    const std::size_t stride = size_ / (2 * half);
    for (std::size_t begin = 0; begin < size_; begin += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const std::complex<float> even = values_[begin + k];
        const std::complex<float> odd = values_[begin + k + half] * twiddles_[k * stride];
        values_[begin + k] = even + odd;
        values_[begin + k + half] = even - odd;
      }
    }
  }
}

StrongestPeak Spectrum::strongestPeak(const float* samples, int frames) {
  const float* last = samples + frames - static_cast<std::ptrdiff_t>(size_);
  double mean = 0.0;
  for (std::size_t i = 0; i < size_; ++i) mean += last[i];
  mean /= static_cast<double>(size_);
  for (std::size_t i = 0; i < size_; ++i) values_[i] = (last[i] - static_cast<float>(mean)) * window_[i];
  transform();

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
