#include "makeup.h"

#include <algorithm>
#include <cmath>

#include "chain_settings.h"

namespace sustain {

namespace {

constexpr double kAveragingSeconds = 3.0;
constexpr double kCorrectionSeconds = 1.5;
constexpr double kRecentSeconds = 0.7;
constexpr double kUrgentDb = 2.5;
constexpr double kUrgentSeconds = 0.6;
constexpr double kMostDb = 15.0;

double shareFor(double seconds) { return 1.0 - std::exp(-kChunkSeconds / seconds); }

}  // namespace

void Makeup::Balance::observe(double newBefore, double newBehind, double share) {
  before += (newBefore - before) * share;
  behind += (newBehind - behind) * share;
}

double Makeup::Balance::missingDb() const {
  if (before <= 0.0 || behind <= 0.0) return 0.0;
  return std::clamp(10.0 * std::log10(before / behind), -kMostDb, kMostDb);
}

void Makeup::observe(double before, double behind, bool isProgramme) {
  if (!isProgramme) return;
  usual_.observe(before, behind, shareFor(kAveragingSeconds));
  recent_.observe(before, behind, shareFor(kRecentSeconds));
  const double recentDb = recent_.missingDb();
  const bool isUrgent = std::fabs(recentDb) > kUrgentDb;
  const double wanted = isUrgent ? recentDb * shareFor(kUrgentSeconds) : usual_.missingDb() * shareFor(kCorrectionSeconds);
  const double gainDb = std::clamp(gainDb_ + wanted, -kMostDb, kMostDb);
  // What was heard so far would have been that much louder: without this, the averages would be corrected for twice.
  const double louder = std::pow(10.0, (gainDb - gainDb_) / 10.0);
  usual_.behind *= louder;
  recent_.behind *= louder;
  gainDb_ = gainDb;
}

}  // namespace sustain
