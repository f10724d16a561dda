#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "../dsp/resampler.h"

namespace sustain {

struct Mp3Settings {
  int bitrateKbps = 128;
  int sampleRateHz = 44100;
  int channels = 2;
  /** LAME's own scale, 0 the best; negative: its default. */
  int quality = -1;
};

/** What of libmp3lame was found on this system; an empty text when it can be used. */
const std::string& lameProblem();

/**
 * MP3 out of interleaved stereo at 48 kHz, by the system's libmp3lame. It is looked for when it is first needed and is
 * no part of the build: where it is missing, ffmpeg encodes. One thread at a time.
 */
class LameEncoder {
 public:
  /** Throws std::runtime_error with LAME's reason. */
  explicit LameEncoder(const Mp3Settings& settings);
  ~LameEncoder();
  LameEncoder(const LameEncoder&) = delete;
  LameEncoder& operator=(const LameEncoder&) = delete;

  /** Appends the frames that are complete. Throws std::runtime_error. */
  void encode(const float* interleaved, std::size_t frames, std::vector<unsigned char>& out);

 private:
  struct Flags;
  Flags* flags_;
  int channels_;
  Resampler resampler_;
  std::vector<float> sound_;
  std::vector<unsigned char> mp3_;
};

}  // namespace sustain
