#include "lane_filter.h"

#include <cmath>

#include "chain_settings.h"
#include "k_weighting.h"
#include "units.h"

namespace sustain {

namespace {

LaneDesign designFor(double g, double k, double m0, double m1, double m2) {
  const double a1 = 1.0 / (1.0 + g * (g + k));
  return {2.0 * a1 - 1.0, 2.0 * g * a1, 2.0 * g * g * a1, m0, m1 / 2.0, m2 / 2.0};
}

double warped(double hertz) { return std::tan(kPi * hertz / kChainRateHz); }

constexpr double kButterworthQ = 0.70710678118654752;

}  // namespace

LaneDesign highPassDesign(double cornerHz, double q) {
  return designFor(warped(cornerHz), 1.0 / q, 1.0, -1.0 / q, -1.0);
}

LaneDesign allPassDesign(double cornerHz, double q) {
  return designFor(warped(cornerHz), 1.0 / q, 1.0, -2.0 / q, 0.0);
}

LaneDesign bellDesign(double centreHz, double q, double gainDb) {
  const double a = std::pow(10.0, gainDb / 40.0);
  const double k = 1.0 / (q * a);
  return designFor(warped(centreHz), k, 1.0, k * (a * a - 1.0), 0.0);
}

LaneDesign lowShelfDesign(double cornerHz, double gainDb) {
  const double a = std::pow(10.0, gainDb / 40.0);
  const double k = 1.0 / kButterworthQ;
  return designFor(warped(cornerHz) / std::sqrt(a), k, 1.0, k * (a - 1.0), a * a - 1.0);
}

LaneDesign highShelfDesign(double cornerHz, double gainDb) {
  const double a = std::pow(10.0, gainDb / 40.0);
  const double k = 1.0 / kButterworthQ;
  return designFor(warped(cornerHz) * std::sqrt(a), k, a * a, k * (1.0 - a) * a, 1.0 - a * a);
}

LaneDesign designOf(const Biquad& s) {
  const double atDc = (s.b0 + s.b1 + s.b2) / (1.0 + s.a1 + s.a2);
  const double atNyquist = (s.b0 - s.b1 + s.b2) / (1.0 - s.a1 + s.a2);
  const double between = (s.b0 - s.b2) / (1.0 - s.a2);
  const double g = std::sqrt((1.0 + s.a1 + s.a2) / (1.0 - s.a1 + s.a2));
  const double k = 2.0 * (1.0 - s.a2) / ((1.0 - s.a1 + s.a2) * g);
  return designFor(g, k, atNyquist, k * (between - atNyquist), atDc - atNyquist);
}

void setLane(LaneFilter& filter, int lane, const LaneDesign& design) {
  filter.c0[lane] = static_cast<float>(design.c0);
  filter.c1[lane] = static_cast<float>(design.c1);
  filter.c2[lane] = static_cast<float>(design.c2);
  filter.m0[lane] = static_cast<float>(design.m0);
  filter.m1[lane] = static_cast<float>(design.m1);
  filter.m2[lane] = static_cast<float>(design.m2);
}

void setAllLanes(LaneFilter& filter, const LaneDesign& design) {
  for (int lane = 0; lane < 4; ++lane) setLane(filter, lane, design);
}

}  // namespace sustain
