#include "loudness_histogram.h"

#include <algorithm>
#include <cmath>

#include "units.h"

namespace sustain {

namespace {

constexpr double kLowestLufs = -70.0;
constexpr double kBinsPerLu = 20.0;
constexpr std::size_t kBins = 2200;

}  // namespace

LoudnessHistogram::LoudnessHistogram() : bins_(kBins) {}

void LoudnessHistogram::reset() {
  std::fill(bins_.begin(), bins_.end(), Bin{});
  totalEnergy_ = 0.0;
  totalCount_ = 0;
}

void LoudnessHistogram::add(double energy) {
  const double lufs = energyToLufs(energy);
  if (!(lufs > kLowestLufs)) return;
  const auto index = static_cast<std::size_t>((lufs - kLowestLufs) * kBinsPerLu);
  Bin& bin = bins_[std::min(index, kBins - 1)];
  bin.energy += energy;
  ++bin.count;
  totalEnergy_ += energy;
  ++totalCount_;
}

std::size_t LoudnessHistogram::gateIndex(double relativeGateLu) const {
  if (totalCount_ == 0) return kBins;
  const double gate = energyToLufs(totalEnergy_ / static_cast<double>(totalCount_)) - relativeGateLu;
  if (gate <= kLowestLufs) return 0;
  const auto index = std::min(static_cast<std::size_t>((gate - kLowestLufs) * kBinsPerLu), kBins - 1);
  // The bin that the gate cuts in two belongs to the side its own mean is on.
  const Bin& cut = bins_[index];
  const bool above = cut.count > 0 && energyToLufs(cut.energy / cut.count) > gate;
  return above ? index : index + 1;
}

double LoudnessHistogram::integratedLufs() const {
  double energy = 0.0;
  std::uint64_t count = 0;
  for (std::size_t i = gateIndex(10.0); i < kBins; ++i) {
    energy += bins_[i].energy;
    count += bins_[i].count;
  }
  return count == 0 ? kMinusInfinity : energyToLufs(energy / static_cast<double>(count));
}

double LoudnessHistogram::percentileLufs(std::size_t first, std::uint64_t total, double fraction) const {
  const auto rank = static_cast<std::uint64_t>(std::llround(static_cast<double>(total - 1) * fraction));
  std::uint64_t seen = 0;
  for (std::size_t i = first; i < kBins; ++i) {
    seen += bins_[i].count;
    if (seen > rank) return energyToLufs(bins_[i].energy / bins_[i].count);
  }
  return kUndefined;
}

double LoudnessHistogram::rangeLu() const {
  const std::size_t first = gateIndex(20.0);
  std::uint64_t total = 0;
  for (std::size_t i = first; i < kBins; ++i) total += bins_[i].count;
  if (total == 0) return kUndefined;
  return percentileLufs(first, total, 0.95) - percentileLufs(first, total, 0.10);
}

}  // namespace sustain
