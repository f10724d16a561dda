#include "makeup.h"

#include <algorithm>
#include <cmath>

#include "chain_settings.h"

namespace sustain {

namespace {

constexpr double kAveragingSeconds = 3.0;
constexpr double kCorrectionSeconds = 1.5;
constexpr double kMostDb = 15.0;

double shareFor(double seconds) { return 1.0 - std::exp(-kChunkSeconds / seconds); }

}  // namespace

void Makeup::observe(double before, double behind, bool isProgramme) {
  if (!isProgramme) return;
  const double share = shareFor(kAveragingSeconds);
  before_ += (before - before_) * share;
  behind_ += (behind - behind_) * share;
  if (before_ <= 0.0 || behind_ <= 0.0) return;
  const double missingDb = std::clamp(10.0 * std::log10(before_ / behind_), -kMostDb, kMostDb);
  const double correction = missingDb * shareFor(kCorrectionSeconds);
  gainDb_ = std::clamp(gainDb_ + correction, -kMostDb, kMostDb);
  // What was heard so far would have been that much louder: without this, the average would be corrected for twice.
  behind_ *= std::pow(10.0, correction / 10.0);
}

}  // namespace sustain
