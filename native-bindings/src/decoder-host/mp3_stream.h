#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "../dsp/resampler.h"
#include "mpg123.h"

namespace sustain {

/** One MP3 stream, begun anywhere: bytes in, interleaved stereo at 48 kHz out. Bears any bytes. */
class Mp3Stream {
 public:
  /** Throws std::runtime_error where libmpg123 is missing or can't be had. */
  Mp3Stream();
  ~Mp3Stream();
  Mp3Stream(const Mp3Stream&) = delete;
  Mp3Stream& operator=(const Mp3Stream&) = delete;

  /** Appends the sound that is complete with these bytes. */
  void decode(const unsigned char* bytes, std::size_t count, std::vector<float>& out);

  /** From here on in step with a stream of which so many frames, modulo whole seconds, have been heard up to here. */
  void goOn(std::size_t heardFrames);

  /** As many bytes came as a frame is searched in, and there was none. */
  bool isHopeless() const { return !sounded_ && mute_ >= kSearchBytes; }

 private:
  void begin();
  void hear(float* samples, std::size_t count, std::vector<float>& out);

  static constexpr std::size_t kSearchBytes = 64 * 1024;
  static constexpr std::size_t kPieceBytes = 16 * 1024;

  Mpg123::Handle* handle_;
  std::optional<Resampler> resampler_;
  int channels_ = 0;
  bool sounded_ = false;
  /** Bytes since sound last came out. */
  std::size_t mute_ = 0;
  /** Of mono only. */
  std::vector<float> stereo_;
};

}  // namespace sustain
