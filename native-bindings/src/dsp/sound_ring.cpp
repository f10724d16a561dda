#include "sound_ring.h"

#include <algorithm>

namespace sustain {

namespace {

/** A tenth of a second: what is held beside what is needed is a piece at either end, and one that is spare. */
constexpr std::int64_t kPieceFrames = 4800;
constexpr float kStepsPerUnit = 16384.0f;

std::int16_t packed(float sample) {
  // Comparisons with what is no number are false, so it becomes the lower end and then silence below.
  if (!(sample > -2.0f)) return sample <= -2.0f ? -32768 : 0;
  if (sample >= 32767.0f / kStepsPerUnit) return 32767;
  const float steps = sample * kStepsPerUnit;
  return static_cast<std::int16_t>(static_cast<std::int32_t>(steps + (steps < 0.0f ? -0.5f : 0.5f)));
}

}  // namespace

void SoundRing::push(const float* interleaved, std::size_t frames) {
  std::size_t done = 0;
  while (done < frames) {
    const std::int64_t at = endFrame_ - baseFrame_;
    const auto index = static_cast<std::size_t>(at / kPieceFrames);
    const std::int64_t within = at % kPieceFrames;
    if (index == pieces_.size()) {
      pieces_.push_back(spare_ ? std::move(spare_) : Piece(new std::int16_t[2 * kPieceFrames]));
    }
    const auto part = std::min(frames - done, static_cast<std::size_t>(kPieceFrames - within));
    std::int16_t* to = pieces_[index].get() + 2 * within;
    const float* from = interleaved + 2 * done;
    for (std::size_t i = 0; i < 2 * part; ++i) to[i] = packed(from[i]);
    done += part;
    endFrame_ += static_cast<std::int64_t>(part);
  }
  forgetBefore(endFrame_ - mostFrames_);
}

template <typename Use>
bool SoundRing::eachStretch(std::int64_t fromFrame, std::size_t frames, Use use) const {
  if (fromFrame < startFrame_ || fromFrame + static_cast<std::int64_t>(frames) > endFrame_) return false;
  std::size_t done = 0;
  while (done < frames) {
    const std::int64_t at = fromFrame - baseFrame_ + static_cast<std::int64_t>(done);
    const std::int64_t within = at % kPieceFrames;
    const auto part = std::min(frames - done, static_cast<std::size_t>(kPieceFrames - within));
    use(pieces_[static_cast<std::size_t>(at / kPieceFrames)].get() + 2 * within, done, part);
    done += part;
  }
  return true;
}

bool SoundRing::read(std::int64_t fromFrame, float* out, std::size_t frames) const {
  return eachStretch(fromFrame, frames, [out](const std::int16_t* from, std::size_t done, std::size_t part) {
    float* to = out + 2 * done;
    for (std::size_t i = 0; i < 2 * part; ++i) to[i] = static_cast<float>(from[i]) * (1.0f / kStepsPerUnit);
  });
}

bool SoundRing::readMono(std::int64_t fromFrame, float* out, std::size_t frames) const {
  return eachStretch(fromFrame, frames, [out](const std::int16_t* from, std::size_t done, std::size_t part) {
    float* to = out + done;
    for (std::size_t i = 0; i < part; ++i) {
      to[i] = static_cast<float>(from[2 * i] + from[2 * i + 1]) * (0.5f / kStepsPerUnit);
    }
  });
}

void SoundRing::forgetBefore(std::int64_t frame) {
  startFrame_ = std::max(startFrame_, std::min(frame, endFrame_));
  while (startFrame_ - baseFrame_ >= kPieceFrames && !pieces_.empty()) {
    spare_ = std::move(pieces_.front());
    pieces_.pop_front();
    baseFrame_ += kPieceFrames;
  }
}

std::size_t SoundRing::heldBytes() const { return pieces_.size() * 2 * kPieceFrames * sizeof(std::int16_t); }

}  // namespace sustain
