#include "windowed_sinc.h"

#include <cmath>

#include "units.h"

namespace sustain {

namespace {

double besselI0(double x) {
  double term = 1.0;
  double sum = 1.0;
  for (int n = 1; n < 40; ++n) {
    term *= (x / (2.0 * n)) * (x / (2.0 * n));
    sum += term;
  }
  return sum;
}

}  // namespace

double windowedSinc(double offset, double halfWidth, double beta) {
  const double t = offset / halfWidth;
  if (std::fabs(t) >= 1.0) return 0.0;
  const double window = besselI0(beta * std::sqrt(1.0 - t * t)) / besselI0(beta);
  const double x = kPi * offset;
  return window * (std::fabs(x) < 1e-9 ? 1.0 : std::sin(x) / x);
}

}  // namespace sustain
