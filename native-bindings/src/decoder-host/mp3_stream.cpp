#include "mp3_stream.h"

#include <stdexcept>

#include "../dsp/numbers.h"

namespace sustain {

namespace {

constexpr int kOutputHz = 48000;
/** Of bytes that libmpg123 finds fault with in one piece; past these it begins afresh behind them. */
constexpr int kMostErrors = 32;
/** A tag with a picture in it may be so long; libmpg123 would wait for the end of one that claims 256 MiB. */
constexpr std::size_t kMostMuteBytes = 1024 * 1024;

}  // namespace

Mp3Stream::Mp3Stream() : handle_(nullptr) {
  const Mpg123& library = mpg123();
  if (!library.problem.empty()) throw std::runtime_error(library.problem);
  int error = 0;
  handle_ = library.create(nullptr, &error);
  if (handle_ == nullptr) throw std::runtime_error("libmpg123 gave no decoder");
  // What is left out matters as well: nothing is cut off for being gapless, and nothing resampled by libmpg123.
  library.setParameter(handle_, Mpg123::kFlags,
                       Mpg123::kQuiet | Mpg123::kIgnoreStreamLength | Mpg123::kSkipId3v2, 0.0);
  library.setParameter(handle_, Mpg123::kIndexSize, 0, 0.0);
  library.formatNone(handle_);
  const long* rates = nullptr;
  std::size_t count = 0;
  library.rates(&rates, &count);
  for (std::size_t i = 0; i < count; ++i)
    library.format(handle_, rates[i], Mpg123::kMonoAndStereo, Mpg123::kFloat32);
  begin();
}

Mp3Stream::~Mp3Stream() { mpg123().destroy(handle_); }

/** Forgets all bytes that were fed. */
void Mp3Stream::begin() {
  if (mpg123().openFeed(handle_) != Mpg123::kOk) throw std::runtime_error("libmpg123 takes no stream");
}

void Mp3Stream::decode(const unsigned char* bytes, std::size_t count, std::vector<float>& out) {
  const Mpg123& library = mpg123();
  const std::size_t before = out.size();
  mute_ += count;
  float piece[kPieceBytes / sizeof(float)];
  int errors = 0;
  for (;;) {
    std::size_t done = 0;
    const int said = library.decode(handle_, bytes, count, reinterpret_cast<unsigned char*>(piece), sizeof piece, &done);
    bytes = nullptr;
    count = 0;
    if (done > 0) hear(piece, done / sizeof(float), out);
    if (said == Mpg123::kNeedMore) break;
    if (said == Mpg123::kNewFormat) {
      long rateHz = 0;
      int encoding = 0;
      library.getFormat(handle_, &rateHz, &channels_, &encoding);
      resampler_.emplace(static_cast<int>(rateHz), kOutputHz);
    } else if ((said != Mpg123::kOk || done == 0) && ++errors > kMostErrors) {
      begin();
      break;
    }
  }
  if (out.size() > before) {
    mute_ = 0;
    sounded_ = true;
  } else if (mute_ > kMostMuteBytes) {
    mute_ = 0;
    begin();
  }
}

void Mp3Stream::goOn(std::size_t heardFrames) {
  if (resampler_) resampler_->goOn(heardFrames);
}

/** Mono is heard from both loudspeakers as it is. */
void Mp3Stream::hear(float* samples, std::size_t count, std::vector<float>& out) {
  if (!resampler_ || channels_ < 1 || channels_ > 2) return;
  // One sample that is no number would stay in every filter behind it.
  silenceNonNumbers(samples, count);
  if (channels_ == 2) return resampler_->process(samples, count / 2, out);
  stereo_.resize(2 * count);
  for (std::size_t i = 0; i < count; ++i) stereo_[2 * i] = stereo_[2 * i + 1] = samples[i];
  resampler_->process(stereo_.data(), count, out);
}

}  // namespace sustain
