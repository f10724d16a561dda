#include "fft.h"

#include <cmath>
#include <cstdint>
#include <utility>

#include "units.h"

namespace sustain {

std::size_t powerOfTwoFor(std::size_t least) {
  std::size_t length = 2;
  while (length < least) length *= 2;
  return length;
}

Fft::Fft(std::size_t length) : length_(length), twiddles_(length / 2), reversed_(length) {
  for (std::size_t k = 0; k < length / 2; ++k) {
    const double angle = -2.0 * kPi * static_cast<double>(k) / static_cast<double>(length);
    twiddles_[k] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  }
  for (std::size_t i = 1; i < length; ++i) {
    reversed_[i] = (reversed_[i / 2] / 2) | static_cast<std::uint32_t>((i & 1) != 0 ? length / 2 : 0);
  }
}

void Fft::forward(std::complex<float>* data) const {
  for (std::size_t i = 0; i < length_; ++i) {
    if (i < reversed_[i]) std::swap(data[i], data[reversed_[i]]);
  }
  for (std::size_t half = 1; half < length_; half *= 2) {
    const std::size_t stride = length_ / (2 * half);
    for (std::size_t start = 0; start < length_; start += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const std::complex<float> w = twiddles_[k * stride];
        const std::complex<float> a = data[start + k];
        const std::complex<float> b = data[start + k + half];
        // Written out: the library's product checks for infinities.
        const std::complex<float> t{b.real() * w.real() - b.imag() * w.imag(),
                                    b.real() * w.imag() + b.imag() * w.real()};
        data[start + k] = {a.real() + t.real(), a.imag() + t.imag()};
        data[start + k + half] = {a.real() - t.real(), a.imag() - t.imag()};
      }
    }
  }
}

void Fft::inverse(std::complex<float>* data) const {
  for (std::size_t i = 0; i < length_; ++i) data[i] = std::conj(data[i]);
  forward(data);
  for (std::size_t i = 0; i < length_; ++i) data[i] = std::conj(data[i]);
}

}  // namespace sustain
