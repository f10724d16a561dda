#pragma once

#include <array>

#include "chain_settings.h"
#include "lane_filter.h"

namespace sustain {

/** Up to four second-order sections in a row, on interleaved stereo. */
class Tone {
 public:
  /** Keeps the state of sections that were there before. */
  void clear() { count_ = 0; }
  void add(const LaneDesign& design);
  /** The only section there is; null where there are more, or none. */
  LaneFilter* only() { return count_ == 1 ? sections_.data() : nullptr; }
  /** In place. */
  void process(float* interleaved, std::size_t frames);

 private:
  std::array<LaneFilter, 4> sections_{};
  std::size_t count_ = 0;
};

/** Takes away what is too low to be programme, and evens out the two sides of a voice's wave: before all else. */
void configureInput(Tone& tone, const ChainSettings& settings);
void configureEqualiser(Tone& tone, const ChainSettings& settings);

}  // namespace sustain
