#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sustain {

/**
 * A message in either direction: kind, stream and length of what follows, each 32 bits in the machine's own order, as
 * both ends run on one machine. Answers have lengths that four divides, so that sound lies where floats may lie.
 */
struct MessageHead {
  std::uint32_t kind;
  std::uint32_t stream;
  std::uint32_t bytes;
};

namespace requests {
constexpr std::uint32_t kOpen = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kClose = 3;
/** What an earlier process has been given already: it brings this one into its state, and nothing is answered. */
constexpr std::uint32_t kPast = 4;
/** Behind the past: how many frames, in 32 bits, had been heard by its end, modulo any whole number of seconds. */
constexpr std::uint32_t kGoOn = 5;
}  // namespace requests

namespace answers {
/** Interleaved stereo at 48 kHz. */
constexpr std::uint32_t kSound = 17;
/** All bytes were taken and more are needed. */
constexpr std::uint32_t kTaken = 18;
/** No sound can be found in it; the stream is closed. */
constexpr std::uint32_t kRejected = 19;
}  // namespace answers

/** What one request carries at most, so that one stream's bytes never make much sound at once. */
constexpr std::size_t kMostRequestBytes = 4096;

/** Puts messages together out of what a pipe brings. */
class RequestReader {
 public:
  struct Request {
    MessageHead head;
    const unsigned char* body;
  };

  /** Where `room` bytes can be written that come next. */
  unsigned char* space(std::size_t room);
  void came(std::size_t bytes) { end_ += bytes; }
  /** The next whole message, valid until the next `space`. False: there is none yet, or `isBroken`. */
  bool next(Request& request);
  /** What came is no message of ours, so that nothing after it can be understood. */
  bool isBroken() const { return broken_; }

 private:
  std::vector<unsigned char> held_;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
  bool broken_ = false;
};

/** Answers that wait to be written. */
class AnswerQueue {
 public:
  void push(std::uint32_t kind, std::uint32_t stream, const void* body, std::size_t bytes);
  const unsigned char* data() const { return held_.data() + start_; }
  std::size_t size() const { return held_.size() - start_; }
  void written(std::size_t bytes);

 private:
  std::vector<unsigned char> held_;
  std::size_t start_ = 0;
};

}  // namespace sustain
