#include "loop_finder.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "simd.h"

namespace sustain {

namespace {

constexpr double kShortestPeriodSeconds = 0.2 * 0.98;
constexpr double kHistorySeconds = 66.0;
constexpr double kHopSeconds = 0.02;
constexpr int kTemplateHops = 200;
constexpr int kShortestLagHops = 10;
constexpr int kLongestLagHops = 3010;
constexpr std::size_t kHopRing = kLongestLagHops + kTemplateHops + 8;
constexpr int kBlocksPerEvaluation = 20;
constexpr double kEvaluationSeconds = 2.0;
constexpr float kSilentHopDb = -80.0f;
constexpr float kAudibleHopDb = -65.0f;
constexpr std::ptrdiff_t kLeastAudibleHops = kTemplateHops / 4;
constexpr float kLevelFit = 0.85f;
// Measured: repetitions through MP3 at 64 kbit/s and Opus at 32 keep 0.94 and more, the bars of dance music 0.89.
constexpr double kIdenticalWaveform = 0.9;
constexpr double kIdenticalPieces = 0.9;
// AAC at 32 kbit/s leaves 0.8 to 0.95 of them, with no quarter of a second under 0.69.
constexpr double kWornWaveform = 0.8;
constexpr double kWornPiece = 0.65;
/** Shorter periods are those of beats. */
constexpr double kShortestWornSeconds = 1.2;
/** So much better is better; less is chance. */
constexpr double kClearlyMoreAlike = 0.03;
constexpr float kClearlyBetterFit = 0.01f;
constexpr double kSameHops = 2.0;
constexpr double kSimilaritySmoothing = 0.2;
constexpr int kMissesAllowed = 1;
constexpr int kLargestDivisor = 12;
constexpr double kLagStep = 0.125;

bool isIdentical(const Likeness& likeness) {
  return likeness.whole >= kIdenticalWaveform && likeness.alikePieces >= kIdenticalPieces;
}

bool isWorn(const Likeness& likeness) {
  return likeness.whole >= kWornWaveform && likeness.worstPiece >= kWornPiece;
}

float dotTemplate(const float* a, const float* b) {
  Float4 sum{};
  for (int i = 0; i < kTemplateHops; i += 4) sum += load4(a + i) * load4(b + i);
  return sumOf(sum);
}

}  // namespace

LoopFinder::LoopFinder(double rateHz)
    : waveform_(rateHz, kHistorySeconds), samplesPerHop_(rateHz * kHopSeconds), hops_(2 * kHopRing, kSilentHopDb) {}

void LoopFinder::dropLoop() {
  lag_ = 0.0;
  misses_ = 0;
  loop_ = {};
}

void LoopFinder::reset() {
  waveform_.reset();
  std::fill(hops_.begin(), hops_.end(), kSilentHopDb);
  hopCount_ = 0;
  blockCount_ = 0;
  dropLoop();
}

void LoopFinder::process(const std::vector<float>& samples, const std::array<double, kStepsPerBlock>& stepEnergies) {
  waveform_.append(samples);
  storeHops(stepEnergies);
  if (++blockCount_ % kBlocksPerEvaluation == 0) evaluate();
}

void LoopFinder::storeHops(const std::array<double, kStepsPerBlock>& stepEnergies) {
  for (std::size_t step = 0; step < kStepsPerBlock; step += 2) {
    const double energy = (stepEnergies[step] + stepEnergies[step + 1]) / 2.0;
    const float db = std::max(kSilentHopDb, static_cast<float>(powerToDb(energy)));
    const std::size_t at = hopCount_ % kHopRing;
    hops_[at] = db;
    hops_[at + kHopRing] = db;
    ++hopCount_;
  }
}

void LoopFinder::evaluate() {
  if (lag_ > 0.0) follow();
  if (lag_ == 0.0) search();
}

/**
 * Bars of sequenced music are as alike as a loop that a codec at its lowest rate has worn. But their level fits at every
 * beat, and that of speech or free music nowhere but at the loop's own period.
 */
bool LoopFinder::isUnmistakable(double lag) const {
  if (lag < kShortestWornSeconds * waveform_.rateHz()) return false;
  Candidates candidates;
  const std::size_t count = levelCandidates(candidates);
  const double lagHops = lag / samplesPerHop_;
  return std::all_of(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
                     [lagHops](const Candidate& candidate) {
                       const double times = std::round(candidate.lagHops / lagHops);
                       return times >= 1.0 && std::fabs(candidate.lagHops - times * lagHops) <= kSameHops;
                     });
}

bool LoopFinder::isSame(double lag, const Likeness& likeness) const {
  return isIdentical(likeness) || (isWorn(likeness) && isUnmistakable(lag));
}

void LoopFinder::follow() {
  const auto count = static_cast<std::int64_t>(kEvaluationSeconds * waveform_.rateHz());
  double lag = lag_;
  Likeness likeness = waveform_.compare(lag, 0, count);
  // The clock of whatever repeats may drift against ours.
  for (const double candidate : {lag_ - kLagStep, lag_ + kLagStep}) {
    const Likeness other = waveform_.compare(candidate, 0, count);
    if (other.whole > likeness.whole) {
      likeness = other;
      lag = candidate;
    }
  }
  loop_.similarity += kSimilaritySmoothing * (likeness.whole - loop_.similarity);
  if (isSame(lag, likeness)) {
    misses_ = 0;
    lag_ = lag;
    loop_.matchedSeconds += kEvaluationSeconds;
    if (isIdentical(likeness)) loop_.identicalSeconds += kEvaluationSeconds;
  } else if (++misses_ > kMissesAllowed) {
    dropLoop();
  }
}

bool LoopFinder::levelMoves() const {
  const float* recent = &hops_[hopCount_ % kHopRing + kHopRing - kTemplateHops];
  const auto [low, high] = std::minmax_element(recent, recent + kTemplateHops);
  // Clicks in silence repeat themselves too, but there is next to nothing to hear in between.
  const auto audible = std::count_if(recent, recent + kTemplateHops, [](float db) { return db > kAudibleHopDb; });
  return audible >= kLeastAudibleHops && *high - *low > 0.8f;
}

std::size_t LoopFinder::levelCandidates(Candidates& candidates) const {
  const float* recent = &hops_[hopCount_ % kHopRing + kHopRing - kTemplateHops];
  std::array<float, kTemplateHops> pattern;
  float mean = 0.0f;
  for (int i = 0; i < kTemplateHops; ++i) mean += recent[i] / kTemplateHops;
  for (std::size_t i = 0; i < kTemplateHops; ++i) pattern[i] = recent[i] - mean;
  const double patternPower = dotTemplate(pattern.data(), pattern.data());

  const auto known = static_cast<std::int64_t>(std::min<std::uint64_t>(hopCount_, kHopRing));
  const auto longest = std::min<std::int64_t>(kLongestLagHops, known - kTemplateHops);
  const float* earlier = recent - kShortestLagHops;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kTemplateHops; ++i) {
    sum += earlier[i];
    squares += earlier[i] * earlier[i];
  }
  const auto fitsLess = [](const Candidate& a, const Candidate& b) { return a.fit < b.fit; };
  std::size_t found = 0;
  float before = 0.0f;
  float here = 0.0f;
  for (int lag = kShortestLagHops; lag <= longest; ++lag) {
    const double power = squares - sum * sum / kTemplateHops;
    // The pattern has no mean, so that of the stretch it is compared with drops out of the product.
    const float product = dotTemplate(pattern.data(), earlier);
    const float fit = power > 1.0 ? product / static_cast<float>(std::sqrt(power * patternPower)) : 0.0f;
    if (here >= before && here > fit && here > kLevelFit) {
      if (found < candidates.size()) {
        candidates[found++] = {lag - 1, here};
      } else {
        const auto worst = std::min_element(candidates.begin() + kShortest, candidates.end(), fitsLess);
        if (here > worst->fit + kClearlyBetterFit) *worst = {lag - 1, here};
      }
    }
    before = here;
    here = fit;
    --earlier;
    const double arriving = earlier[0];
    const double leaving = earlier[kTemplateHops];
    sum += arriving - leaving;
    squares += arriving * arriving - leaving * leaving;
  }
  const auto isShorter = [](const Candidate& a, const Candidate& b) { return a.lagHops < b.lagHops; };
  std::sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(found), isShorter);
  return found;
}

void LoopFinder::search() {
  if (hopCount_ < kTemplateHops + kShortestLagHops + 1 || !levelMoves()) return;
  Candidates candidates;
  const std::size_t count = levelCandidates(candidates);
  const auto templateSamples = static_cast<std::int64_t>(kTemplateHops * samplesPerHop_);
  double bestLag = 0.0;
  Likeness best;
  for (std::size_t i = 0; i < count; ++i) {
    const double lag = refine(candidates[i].lagHops);
    if (lag < kShortestPeriodSeconds * waveform_.rateHz()) continue;
    const Likeness likeness = waveform_.compare(lag, 0, templateSamples);
    const bool isBetter = bestLag == 0.0 || likeness.whole > best.whole + kClearlyMoreAlike;
    if (!isBetter || !isSame(lag, likeness)) continue;
    bestLag = lag;
    best = likeness;
  }
  if (bestLag == 0.0) return;
  lag_ = shortestPeriod(bestLag, best.whole);
  const Matched matched = matchedSoFar(lag_);
  const double similarity = waveform_.compare(lag_, 0, templateSamples).whole;
  loop_ = {lag_ / waveform_.rateHz(), matched.seconds, matched.identicalSeconds, similarity};
}

double LoopFinder::refine(int lagHops) const {
  // The loudest quarter of a second of the last four says most about where it fits.
  const float* recent = &hops_[hopCount_ % kHopRing + kHopRing - kTemplateHops];
  const float* loudest = std::max_element(recent + kTemplateHops / 8, recent + kTemplateHops);
  const auto hopsAgo = static_cast<int>(recent + kTemplateHops - 1 - loudest);
  const auto endAgo = static_cast<std::int64_t>(hopsAgo * samplesPerHop_);
  const auto around = static_cast<std::int64_t>(samplesPerHop_);
  const std::int64_t whole = waveform_.bestLag(std::lround(lagHops * samplesPerHop_), around, endAgo);
  if (whole == 0) return 0.0;
  return refineFraction(static_cast<double>(whole), endAgo);
}

double LoopFinder::refineFraction(double lag, std::int64_t endAgo) const {
  const auto count = static_cast<std::int64_t>(waveform_.rateHz() / 4.0);
  // First by halves of a sample around the whole one, then by eighths around the best of those.
  for (const double step : {0.5, 0.25, kLagStep}) {
    double best = lag;
    double bestWhole = waveform_.compare(lag, endAgo, count).whole;
    for (const double candidate : {lag - step, lag + step}) {
      const double whole = waveform_.compare(candidate, endAgo, count).whole;
      if (whole > bestWhole) {
        bestWhole = whole;
        best = candidate;
      }
    }
    lag = best;
  }
  return lag;
}

double LoopFinder::shortestPeriod(double lag, double whole) const {
  const auto count = static_cast<std::int64_t>(kTemplateHops * samplesPerHop_);
  for (int divisor = kLargestDivisor; divisor > 1; --divisor) {
    const double part = lag / divisor;
    if (part < kShortestPeriodSeconds * waveform_.rateHz()) continue;
    const Likeness likeness = waveform_.compare(part, 0, count);
    if (likeness.whole >= whole - kClearlyMoreAlike && isSame(part, likeness)) return part;
  }
  return lag;
}

LoopFinder::Matched LoopFinder::matchedSoFar(double lag) const {
  const bool wornToo = isUnmistakable(lag);
  Matched matched;
  std::int64_t endAgo = 0;
  // By seconds, and the last one by its quarters.
  for (const double step : {1.0, 0.25}) {
    const auto count = static_cast<std::int64_t>(step * waveform_.rateHz());
    for (;; endAgo += count) {
      const Likeness likeness = waveform_.compare(lag, endAgo, count);
      const bool identical = isIdentical(likeness);
      if (!identical && !(wornToo && isWorn(likeness))) break;
      matched.seconds += step;
      if (identical) matched.identicalSeconds += step;
    }
  }
  return matched;
}

}  // namespace sustain
