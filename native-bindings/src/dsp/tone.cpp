#include "tone.h"

#include <cmath>

namespace sustain {

namespace {

constexpr double kButterworthQ = 0.70710678118654752;
/** An all-pass of the second order with this Q is two of the first. */
constexpr double kDoubleFirstOrderQ = 0.5;
/** Less than this is no change to be heard or paid for. */
constexpr double kLeastGainDb = 0.005;

}  // namespace

void Tone::add(const LaneDesign& design) { setAllLanes(sections_[count_++], design); }

SUSTAIN_CLONES
void Tone::process(float* interleaved, std::size_t frames) {
  for (std::size_t section = 0; section < count_; ++section) {
    LaneFilter filter = sections_[section];
    for (std::size_t i = 0; i < 2 * frames; i += 2) {
      storePair(interleaved + i, filter.mixed(loadPair(interleaved + i)));
    }
    sections_[section] = filter;
  }
}

void configureInput(Tone& tone, const ChainSettings& settings) {
  tone.clear();
  if (settings.highPassOn) tone.add(highPassDesign(settings.highPassHz, kButterworthQ));
  if (!settings.rotatorOn) return;
  for (int i = 0; i < 2; ++i) tone.add(allPassDesign(settings.rotatorHz, kDoubleFirstOrderQ));
}

void configureEqualiser(Tone& tone, const ChainSettings& settings) {
  tone.clear();
  const auto& eq = settings.equaliser;
  if (!eq.on) return;
  if (std::fabs(eq.lowDb) >= kLeastGainDb) tone.add(lowShelfDesign(eq.lowHz, eq.lowDb));
  if (std::fabs(eq.presenceDb) >= kLeastGainDb) tone.add(bellDesign(eq.presenceHz, eq.presenceQ, eq.presenceDb));
  if (std::fabs(eq.highDb) >= kLeastGainDb) tone.add(highShelfDesign(eq.highHz, eq.highDb));
}

}  // namespace sustain
