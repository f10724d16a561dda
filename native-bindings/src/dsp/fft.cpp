#include "fft.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "simd.h"
#include "units.h"

namespace sustain {

namespace {

/** Up to this length tables are kept, since meters and searches ask for them again and again. */
constexpr std::size_t kLongestKept = 32768;

}  // namespace

std::size_t powerOfTwoFor(std::size_t least) {
  std::size_t length = 2;
  while (length < least) length *= 2;
  return length;
}

struct Fft::Tables {
  /** Those of the stage that joins two parts of `n` begin at `n`. */
  std::vector<std::complex<float>> twiddles;
  std::vector<std::uint32_t> reversed;

  explicit Tables(std::size_t length) : twiddles(length), reversed(length) {
    const std::size_t last = length / 2;
    for (std::size_t k = 0; k < last; ++k) {
      const double angle = -2.0 * kPi * static_cast<double>(k) / static_cast<double>(length);
      twiddles[last + k] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
    }
    for (std::size_t n = last / 2; n > 0; n /= 2) {
      for (std::size_t k = 0; k < n; ++k) twiddles[n + k] = twiddles[2 * n + 2 * k];
    }
    for (std::size_t i = 1; i < length; ++i) {
      reversed[i] = (reversed[i / 2] / 2) | static_cast<std::uint32_t>((i & 1) != 0 ? length / 2 : 0);
    }
  }
};

std::shared_ptr<const Fft::Tables> Fft::tablesFor(std::size_t length) {
  if (length > kLongestKept) return std::make_shared<const Tables>(length);
  static std::mutex mutex;
  static std::map<std::size_t, std::shared_ptr<const Tables>> known;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& tables = known[length];
  if (tables == nullptr) tables = std::make_shared<const Tables>(length);
  return tables;
}

Fft::Fft(std::size_t length) : length_(length), tables_(tablesFor(length)) {}

/** Two numbers at a time. */
SUSTAIN_CLONES
void Fft::forward(std::complex<float>* data) const {
  const auto& [twiddles, reversed] = *tables_;
  for (std::size_t i = 0; i < length_; ++i) {
    if (i < reversed[i]) std::swap(data[i], data[reversed[i]]);
  }
  auto* numbers = reinterpret_cast<float*>(data);
  for (std::size_t i = 0; i < 2 * length_; i += 4) {
    const Float4 both = load4(numbers + i);
    store4(numbers + i, firstHalves(both, both) + Float4{1.0f, 1.0f, -1.0f, -1.0f} * lastHalves(both, both));
  }
  const Int4 firstSigns = reinterpret_cast<Int4>(Float4{-0.0f, 0.0f, -0.0f, 0.0f});
  for (std::size_t half = 2; half < length_; half *= 2) {
    const auto* turns = reinterpret_cast<const float*>(twiddles.data() + half);
    for (std::size_t start = 0; start < 2 * length_; start += 4 * half) {
      float* here = numbers + start;
      float* there = here + 2 * half;
      for (std::size_t k = 0; k < 2 * half; k += 4) {
        const Float4 w = load4(turns + k);
        const Float4 a = load4(here + k);
        const Float4 b = load4(there + k);
        const Float4 imaginary = fromBits(reinterpret_cast<Int4>(secondsOf(w)) ^ firstSigns);
        const Float4 t = b * firstsOf(w) + swappedPairs(b) * imaginary;
        store4(here + k, a + t);
        store4(there + k, a - t);
      }
    }
  }
}

}  // namespace sustain
