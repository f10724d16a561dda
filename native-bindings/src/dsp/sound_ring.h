#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

namespace sustain {

/**
 * The newest sound of one connection, interleaved stereo, by absolute frame numbers that only ever grow. It is kept in 16
 * bits with 6 dB of room over full scale, since decoders overshoot: the error is noise of -95 dBFS, under the noise floor
 * that is always played and far under what any lossy codec leaves.
 */
class SoundRing {
 public:
  explicit SoundRing(std::int64_t mostFrames) : mostFrames_(mostFrames) {}

  void push(const float* interleaved, std::size_t frames);
  /** False, and nothing copied, when some of the frames aren't here. */
  bool read(std::int64_t fromFrame, float* out, std::size_t frames) const;
  /** The same, mixed down. */
  bool readMono(std::int64_t fromFrame, float* out, std::size_t frames) const;
  void forgetBefore(std::int64_t frame);

  std::int64_t startFrame() const { return startFrame_; }
  std::int64_t endFrame() const { return endFrame_; }
  std::size_t heldBytes() const;

 private:
  using Piece = std::unique_ptr<std::int16_t[]>;

  /** Calls `use(from, done, frames)` for each stretch that lies in one piece; false when some of the frames aren't here. */
  template <typename Use>
  bool eachStretch(std::int64_t fromFrame, std::size_t frames, Use use) const;

  std::int64_t mostFrames_;
  std::deque<Piece> pieces_;
  /** A piece that was let go of and can be used again. */
  Piece spare_;
  /** Frame number of the first sample in the first piece. */
  std::int64_t baseFrame_ = 0;
  std::int64_t startFrame_ = 0;
  std::int64_t endFrame_ = 0;
};

}  // namespace sustain
