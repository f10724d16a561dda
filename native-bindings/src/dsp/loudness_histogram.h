#pragma once

#include <cstdint>
#include <vector>

namespace sustain {

/**
 * Counts loudness values in bins of 0.05 LU from -70 to +40 LUFS and keeps the exact energy sum of each bin, so that a
 * station can be measured for years in constant memory.
 */
class LoudnessHistogram {
 public:
  LoudnessHistogram();
  /** Takes a mean square; values at or below -70 LUFS (the absolute gate of BS.1770-5) are left out. */
  void add(double energy);
  void reset();
  /** Integrated loudness: gated at -10 LU under the mean of what passed the absolute gate. Minus infinity when empty. */
  double integratedLufs() const;
  /** Loudness range (EBU Tech 3342): gate at -20 LU, 95th less 10th percentile. NaN when empty. */
  double rangeLu() const;

 private:
  struct Bin {
    double energy = 0.0;
    std::uint32_t count = 0;
  };
  /** Index of the first bin above the relative gate; bins_.size() when nothing was added. */
  std::size_t gateIndex(double relativeGateLu) const;
  double percentileLufs(std::size_t first, std::uint64_t total, double fraction) const;

  std::vector<Bin> bins_;
  double totalEnergy_ = 0.0;
  std::uint64_t totalCount_ = 0;
};

}  // namespace sustain
