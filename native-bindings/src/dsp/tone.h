#pragma once

#include <array>

#include "chain_settings.h"
#include "eight_lanes.h"

namespace sustain {

/** Up to three second-order sections in a row, on interleaved stereo. */
class Tone {
 public:
  /** Keeps the state of sections that were there before. */
  void clear() { count_ = 0; }
  void add(const LaneDesign& design);
  static constexpr std::size_t kMostSections = 3;
  std::size_t count() const { return count_; }
  /** The sections with their states, and the states back. */
  EightLanes lanes() const;
  void keep(const EightLanes& lanes);
  /** One chunk of interleaved stereo, in place. */
  void process(float* interleaved);

 private:
  template <std::size_t Sections, bool Wide>
  SUSTAIN_INSIDE void run(float* interleaved);
  template <bool Wide>
  SUSTAIN_INSIDE void runAll(float* interleaved);
  void processWide(float* interleaved);

  std::array<LaneFilter, kMostSections> sections_{};
  std::size_t count_ = 0;
};

/** Takes away what is too low to be programme, and evens out the two sides of a voice's wave: before all else. */
void configureInput(Tone& tone, const ChainSettings& settings);
void configureEqualiser(Tone& tone, const ChainSettings& settings);

}  // namespace sustain
