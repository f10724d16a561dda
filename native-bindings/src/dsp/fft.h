#pragma once

#include <complex>
#include <cstddef>
#include <memory>

namespace sustain {

/** Complex FFT of one length, a power of two, in place. Those of one length share their tables. */
class Fft {
 public:
  explicit Fft(std::size_t length);
  std::size_t length() const { return length_; }
  void forward(std::complex<float>* data) const;

 private:
  struct Tables;
  static std::shared_ptr<const Tables> tablesFor(std::size_t length);

  std::size_t length_;
  std::shared_ptr<const Tables> tables_;
};

/** The least power of two that is not under `least`. */
std::size_t powerOfTwoFor(std::size_t least);

}  // namespace sustain
