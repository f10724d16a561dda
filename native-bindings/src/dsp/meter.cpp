#include "meter.h"

#include <algorithm>
#include <cmath>

namespace sustain {

Meter::Meter(const MeterSettings& settings)
    : settings_(settings),
      assembler_(settings.sampleRateHz, settings.channels),
      levels_(settings.sampleRateHz, settings.channels),
      loudness_(settings.sampleRateHz, settings.channels),
      truePeak_(settings.sampleRateHz),
      audibility_(settings.audibility) {
  if (settings.faults) faultWatch_.emplace(settings.sampleRateHz, settings.channels, *settings.faults);
}

void Meter::reset() {
  assembler_.reset();
  loudness_.reset();
  audibility_.reset();
  if (faultWatch_) faultWatch_->reset();
  second_ = {};
  totals_ = {};
  blockCount_ = 0;
}

std::size_t Meter::push(const float* interleaved, std::size_t frames, ReadingRing& ring) {
  std::size_t readings = 0;
  while (frames > 0) {
    const std::size_t taken = assembler_.take(interleaved, frames);
    interleaved += taken * static_cast<std::size_t>(settings_.channels);
    frames -= taken;
    if (!assembler_.blockReady()) break;
    measure(assembler_.block(), ring);
    ++readings;
  }
  return readings;
}

void Meter::measure(const Block& block, ReadingRing& ring) {
  levels_.process(block);
  loudness_.process(block);
  double truePeak = 0.0;
  for (int c = 0; c < block.channels; ++c) {
    const double peak = truePeak_.blockPeak(block.channel[static_cast<std::size_t>(c)], block.frames, levels_.channel(c));
    truePeak = std::max(truePeak, peak);
  }
  audibility_.process(block, levels_, loudness_.stepEnergies());
  addUp(block, truePeak);
  ++blockCount_;
  if (faultWatch_) {
    faultWatch_->process(block, levels_, loudness_.stepEnergies(), totals_.frames / settings_.sampleRateHz);
  }
  writeReading(block, truePeak, ring.next(), blockCount_);
}

void Meter::addUp(const Block& block, double truePeak) {
  StereoSums& sums = second_[blockCount_ % kSecondBlocks];
  sums = {};
  for (int c = 0; c < block.channels; ++c) {
    const auto index = static_cast<std::size_t>(c);
    sums.mean[index] = levels_.mean(c);
    totals_.squares[index] += levels_.power(c) * block.frames;
    totals_.sum[index] += levels_.mean(c) * block.frames;
  }
  if (block.channels >= 2) {
    sums.left = levels_.power(0) * block.frames;
    sums.right = levels_.power(1) * block.frames;
    sums.products = levels_.crossSum();
  }
  totals_.frames += block.frames;
  totals_.products += sums.products;
  totals_.truePeak = std::max(totals_.truePeak, truePeak);
  totals_.samplePeak = std::max(totals_.samplePeak, levels_.peak());
  totals_.clippedSamples += levels_.clippedSamples();
  totals_.invalidSamples += block.invalidSamples;
}

double Meter::secondCorrelation() const {
  double left = 0.0;
  double right = 0.0;
  double products = 0.0;
  for (const StereoSums& sums : second_) {
    left += sums.left;
    right += sums.right;
    products += sums.products;
  }
  return correlationOf(left, right, products);
}

double Meter::secondOffset() const {
  const auto blocks = static_cast<double>(std::min<std::uint64_t>(blockCount_, kSecondBlocks));
  double largest = 0.0;
  for (std::size_t c = 0; c < static_cast<std::size_t>(settings_.channels); ++c) {
    double mean = 0.0;
    for (const StereoSums& sums : second_) mean += sums.mean[c];
    mean /= blocks;
    if (std::fabs(mean) > std::fabs(largest)) largest = mean;
  }
  return largest;
}

void Meter::writeReading(const Block& block, double truePeak, double* row, std::uint64_t sequence) const {
  row[kSequence] = static_cast<double>(sequence);
  row[kEndSeconds] = totals_.frames / settings_.sampleRateHz;
  row[kMomentaryLufs] = loudness_.momentaryLufs();
  row[kMomentaryMaxLufs] = loudness_.momentaryMaxLufs();
  row[kShortTermLufs] = loudness_.shortTermLufs();
  row[kIntegratedLufs] = loudness_.integratedLufs();
  row[kLoudnessRangeLu] = loudness_.rangeLu();
  row[kTruePeakDbtp] = amplitudeToDb(truePeak);
  row[kSamplePeakDbfs] = amplitudeToDb(levels_.peak());
  row[kCorrelation] = secondCorrelation();
  row[kDcOffset] = secondOffset();
  row[kClippedSamples] = levels_.clippedSamples();
  row[kInvalidSamples] = block.invalidSamples;
  row[kAudibleMs] = audibility_.audibleMs();
  row[kAudibleWarnMs] = audibility_.audibleWarnMs();
  row[kModulatedMs] = audibility_.modulatedMs();
  row[kModulationDb] = audibility_.modulationDb();
  row[kFaults] = faultWatch_ ? faultWatch_->log().bits(0, kFirstWarning) : 0;
  row[kWarnings] = faultWatch_ ? faultWatch_->log().bits(kFirstWarning, kFaultKinds) : 0;
  for (int c = 0; c < kMaxChannels; ++c) {
    const bool present = c < block.channels;
    row[kRmsDbfs + static_cast<std::size_t>(c)] = present ? powerToDb(levels_.power(c)) : kUndefined;
  }
}

Summary Meter::summary() {
  loudness_.refreshIntegrated();
  Summary summary;
  summary.durationSeconds = static_cast<double>(assembler_.framesTaken()) / settings_.sampleRateHz;
  summary.integratedLufs = loudness_.integratedLufs();
  summary.loudnessRangeLu = loudness_.rangeLu();
  summary.maxMomentaryLufs = loudness_.highestMomentaryLufs();
  summary.maxShortTermLufs = loudness_.highestShortTermLufs();
  summary.truePeakDbtp = amplitudeToDb(totals_.truePeak);
  summary.samplePeakDbfs = amplitudeToDb(totals_.samplePeak);
  summary.clippedSamples = totals_.clippedSamples;
  summary.invalidSamples = totals_.invalidSamples;
  summary.correlation = correlationOf(totals_.squares[0], totals_.squares[1], totals_.products);
  for (std::size_t c = 0; c < static_cast<std::size_t>(settings_.channels); ++c) {
    const double frames = std::max(totals_.frames, 1.0);
    summary.rmsDbfs[c] = powerToDb(totals_.squares[c] / frames);
    summary.dcOffset[c] = totals_.sum[c] / frames;
  }
  return summary;
}

}  // namespace sustain
