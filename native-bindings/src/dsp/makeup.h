#pragma once

namespace sustain {

/**
 * Gives back what the compressor, the equaliser and the limiter took from the loudness or added to it, so that what
 * leaves is as loud as what the leveller made. It only ever compares the two over programme, and slowly, unless they are
 * far from each other: then another programme has begun, of which less is taken, or more.
 */
class Makeup {
 public:
  /** K-weighted energies of one chunk, before and behind; `isProgramme` is false in pauses. */
  void observe(double before, double behind, bool isProgramme);
  void forget() { gainDb_ = 0.0; }
  double gainDb() const { return gainDb_; }

 private:
  struct Balance {
    double before = 0.0;
    double behind = 0.0;

    void observe(double newBefore, double newBehind, double share);
    double missingDb() const;
  };

  Balance usual_;
  Balance recent_;
  double gainDb_ = 0.0;
};

}  // namespace sustain
