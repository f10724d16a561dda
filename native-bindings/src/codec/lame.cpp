#include "lame.h"

#include <algorithm>
#include <stdexcept>

#include "../dsp/numbers.h"
#include "system_library.h"

namespace sustain {

namespace {

constexpr int kInputHz = 48000;

/** The part of LAME's interface that is used, as its manual and lame.h of 3.99 and later declare it. */
struct Library {
  void* (*init)() = nullptr;
  int (*setInRate)(void*, int) = nullptr;
  int (*setOutRate)(void*, int) = nullptr;
  int (*setChannels)(void*, int) = nullptr;
  int (*setMode)(void*, int) = nullptr;
  int (*setBitrate)(void*, int) = nullptr;
  int (*setQuality)(void*, int) = nullptr;
  int (*setScale)(void*, float) = nullptr;
  float (*getScale)(const void*) = nullptr;
  int (*setVbrTag)(void*, int) = nullptr;
  void (*setId3)(void*, int) = nullptr;
  int (*initParams)(void*) = nullptr;
  int (*encodeStereo)(void*, const float*, int, unsigned char*, int) = nullptr;
  int (*encodeSplit)(void*, const float*, const float*, int, unsigned char*, int) = nullptr;
  int (*close)(void*) = nullptr;
  std::string problem;
};

const Library& library() {
  static const Library found = [] {
    Library lame;
    SystemLibrary system("libmp3lame", {"libmp3lame.so.0", "libmp3lame.0.dylib"});
    system.look("lame_init", lame.init);
    system.look("lame_set_in_samplerate", lame.setInRate);
    system.look("lame_set_out_samplerate", lame.setOutRate);
    system.look("lame_set_num_channels", lame.setChannels);
    system.look("lame_set_mode", lame.setMode);
    system.look("lame_set_brate", lame.setBitrate);
    system.look("lame_set_quality", lame.setQuality);
    system.look("lame_set_scale", lame.setScale);
    system.look("lame_get_scale", lame.getScale);
    system.look("lame_set_bWriteVbrTag", lame.setVbrTag);
    system.look("lame_set_write_id3tag_automatic", lame.setId3);
    system.look("lame_init_params", lame.initParams);
    system.look("lame_encode_buffer_interleaved_ieee_float", lame.encodeStereo);
    system.look("lame_encode_buffer_ieee_float", lame.encodeSplit);
    system.look("lame_close", lame.close);
    lame.problem = system.problem();
    return lame;
  }();
  return found;
}

/** The rates of MPEG 1, 2 and 2.5; LAME would quietly take the nearest one. */
bool isRate(int hz) {
  for (const int rate : {48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000}) {
    if (hz == rate) return true;
  }
  return false;
}

constexpr int kJointStereo = 1;
constexpr int kMono = 3;

void* startLame(const Mp3Settings& settings, float scale) {
  const Library& lame = library();
  void* flags = lame.init();
  if (flags == nullptr) throw std::runtime_error("LAME could not be started");
  // Its own resampler is coarse and slow, so it is given the rate that comes out.
  lame.setInRate(flags, settings.sampleRateHz);
  lame.setOutRate(flags, settings.sampleRateHz);
  lame.setChannels(flags, settings.channels);
  lame.setMode(flags, settings.channels == 1 ? kMono : kJointStereo);
  lame.setBitrate(flags, settings.bitrateKbps);
  if (settings.quality >= 0) lame.setQuality(flags, settings.quality);
  lame.setScale(flags, scale);
  lame.setVbrTag(flags, 0);
  lame.setId3(flags, 0);
  if (lame.initParams(flags) < 0) {
    lame.close(flags);
    throw std::runtime_error("LAME does not take this rate and bitrate together");
  }
  return flags;
}

}  // namespace

const std::string& lameProblem() { return library().problem; }

LameEncoder::LameEncoder(const Mp3Settings& settings)
    : flags_(nullptr), channels_(settings.channels), resampler_(kInputHz, settings.sampleRateHz) {
  const Library& lame = library();
  if (!lame.problem.empty()) throw std::runtime_error(lame.problem);
  if (!isRate(settings.sampleRateHz)) throw std::runtime_error("MP3 has no sample rate like that");
  void* flags = startLame(settings, 1.0f);
  // LAME turns everything down a little (to 0.95 at 128 kbit/s); the level is ours to decide.
  const float scale = lame.getScale(flags);
  if (scale > 0.5f && scale < 1.0f) {
    lame.close(flags);
    flags = startLame(settings, 1.0f / scale);
  }
  flags_ = reinterpret_cast<Flags*>(flags);
}

LameEncoder::~LameEncoder() {
  if (flags_ != nullptr) library().close(flags_);
}

void LameEncoder::encode(const float* interleaved, std::size_t frames, std::vector<unsigned char>& out) {
  const Library& lame = library();
  sound_.clear();
  resampler_.process(interleaved, frames, sound_);
  const std::size_t count = sound_.size() / 2;
  // One sample that is no number would stay in LAME's filters for ever.
  silenceNonNumbers(sound_.data(), sound_.size());
  // 1.25 bytes per sample and 7200 more, as lame.h asks for.
  mp3_.resize(std::max(mp3_.size(), count + count / 4 + 7200));
  const auto room = static_cast<int>(mp3_.size());
  int written = 0;
  if (channels_ == 2) {
    written = lame.encodeStereo(flags_, sound_.data(), static_cast<int>(count), mp3_.data(), room);
  } else {
    for (std::size_t i = 0; i < count; ++i) sound_[i] = 0.5f * (sound_[2 * i] + sound_[2 * i + 1]);
    written = lame.encodeSplit(flags_, sound_.data(), sound_.data(), static_cast<int>(count), mp3_.data(), room);
  }
  if (written < 0) throw std::runtime_error("LAME gave error " + std::to_string(written));
  out.insert(out.end(), mp3_.begin(), mp3_.begin() + written);
}

}  // namespace sustain
