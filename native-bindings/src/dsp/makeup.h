#pragma once

namespace sustain {

/**
 * Gives back what the compressor, the equaliser and the limiter took from the loudness or added to it, so that what
 * leaves is as loud as what the leveller made. It only ever compares the two over programme, and slowly.
 */
class Makeup {
 public:
  /** K-weighted energies of one chunk, before and behind; `isProgramme` is false in pauses. */
  void observe(double before, double behind, bool isProgramme);
  void forget() { gainDb_ = 0.0; }
  double gainDb() const { return gainDb_; }

 private:
  double before_ = 0.0;
  double behind_ = 0.0;
  double gainDb_ = 0.0;
};

}  // namespace sustain
