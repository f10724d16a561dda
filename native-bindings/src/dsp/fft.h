#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sustain {

/** Complex FFT of one length, a power of two, in place. */
class Fft {
 public:
  explicit Fft(std::size_t length);
  std::size_t length() const { return length_; }
  void forward(std::complex<float>* data) const;
  /** Without the division by the length. */
  void inverse(std::complex<float>* data) const;

 private:
  std::size_t length_;
  std::vector<std::complex<float>> twiddles_;
  std::vector<std::uint32_t> reversed_;
};

/** The least power of two that is not under `least`. */
std::size_t powerOfTwoFor(std::size_t least);

}  // namespace sustain
