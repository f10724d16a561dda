// One process that decodes the MP3 streams of many legs: requests on stdin, answers on stdout, nothing else. It is a process
// of its own because the bytes are strangers'; it opens nothing and ends when stdin ends.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "messages.h"
#include "mp3_stream.h"
#include "mpg123.h"
#include "watchdog.h"

namespace sustain {

namespace {

constexpr std::size_t kMostStreams = 4096;
constexpr std::size_t kReadBytes = 64 * 1024;
/** With so much unread sound nothing more is taken in. */
constexpr std::size_t kMostAnswerBytes = 1024 * 1024;

constexpr rlim_t kMostMemoryBytes = 1024UL * 1024 * 1024;

constexpr int kEnded = 0;
constexpr int kBrokenRequest = 2;
constexpr int kNoLibrary = 3;

class Host {
 public:
  /** Until stdin ends; the exit code. */
  int run();

 private:
  void answer(const RequestReader::Request& request);
  void open(std::uint32_t stream);
  void take(std::uint32_t stream, const unsigned char* bytes, std::size_t count, bool isPast);
  void goOn(std::uint32_t stream, const unsigned char* bytes, std::size_t count);
  void reject(std::uint32_t stream, std::string why);
  /** False when nobody reads any more. */
  bool flush();

  std::unordered_map<std::uint32_t, std::unique_ptr<Mp3Stream>> streams_;
  RequestReader reader_;
  AnswerQueue answers_;
  std::vector<float> sound_;
  bool ended_ = false;
};

int Host::run() {
  for (;;) {
    RequestReader::Request request;
    while (answers_.size() < kMostAnswerBytes && reader_.next(request)) answer(request);
    if (reader_.isBroken()) {
      std::fputs("a request that is none\n", stderr);
      return kBrokenRequest;
    }
    const bool stopped = answers_.size() >= kMostAnswerBytes;
    if (!flush()) return kEnded;
    // There may be whole requests left that came before.
    if (stopped && answers_.size() < kMostAnswerBytes) continue;
    const bool full = answers_.size() >= kMostAnswerBytes;
    if (ended_ && answers_.size() == 0) return kEnded;
    pollfd waits[2] = {{full || ended_ ? -1 : STDIN_FILENO, POLLIN, 0},
                       {STDOUT_FILENO, static_cast<short>(answers_.size() > 0 ? POLLOUT : 0), 0}};
    if (poll(waits, 2, -1) < 0 && errno != EINTR) return kEnded;
    if ((waits[1].revents & (POLLERR | POLLHUP)) != 0) return kEnded;
    if (full || ended_ || (waits[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    const auto got = read(STDIN_FILENO, reader_.space(kReadBytes), kReadBytes);
    if (got > 0) reader_.came(static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) ended_ = true;
  }
}

void Host::answer(const RequestReader::Request& request) {
  const auto& [kind, stream, bytes] = request.head;
  if (kind == requests::kOpen) open(stream);
  else if (kind == requests::kClose) streams_.erase(stream);
  else if (kind == requests::kGoOn) goOn(stream, request.body, bytes);
  else take(stream, request.body, bytes, kind == requests::kPast);
}

void Host::open(std::uint32_t stream) {
  streams_.erase(stream);
  if (streams_.size() >= kMostStreams) return reject(stream, "too many streams");
  try {
    streams_.emplace(stream, std::make_unique<Mp3Stream>());
  } catch (const std::exception& problem) {
    reject(stream, problem.what());
  }
}

void Host::take(std::uint32_t stream, const unsigned char* bytes, std::size_t count, bool isPast) {
  // It may have been rejected while these were on their way.
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  sound_.clear();
  atWorkOn(stream);
  try {
    found->second->decode(bytes, count, sound_);
  } catch (const std::exception& problem) {
    atWorkOn(0);
    return reject(stream, problem.what());
  }
  atWorkOn(0);
  if (isPast) return;
  if (!sound_.empty()) answers_.push(answers::kSound, stream, sound_.data(), sound_.size() * sizeof(float));
  else if (found->second->isHopeless()) reject(stream, "no MP3 in it");
  else answers_.push(answers::kTaken, stream, nullptr, 0);
}

void Host::goOn(std::uint32_t stream, const unsigned char* bytes, std::size_t count) {
  const auto found = streams_.find(stream);
  std::uint32_t heardFrames = 0;
  if (found == streams_.end() || count != sizeof heardFrames) return;
  std::memcpy(&heardFrames, bytes, sizeof heardFrames);
  found->second->goOn(heardFrames);
}

void Host::reject(std::uint32_t stream, std::string why) {
  streams_.erase(stream);
  why.resize((why.size() + 3) / 4 * 4, ' ');
  answers_.push(answers::kRejected, stream, why.data(), why.size());
}

bool Host::flush() {
  while (answers_.size() > 0) {
    const auto wrote = write(STDOUT_FILENO, answers_.data(), answers_.size());
    if (wrote >= 0) answers_.written(static_cast<std::size_t>(wrote));
    else if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    else if (errno != EINTR) return false;
  }
  return true;
}

/** Whoever takes this process over by a frame can open no file and no socket, and can't take the machine's memory. */
void giveUpRights() {
  const auto limit = [](auto what, rlim_t most) {
    const rlimit both{most, most};
    setrlimit(what, &both);
  };
  limit(RLIMIT_NOFILE, 3);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, kMostMemoryBytes);
#ifdef __linux__
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
}

}  // namespace

}  // namespace sustain

int main(int count, char** words) {
  const std::string& problem = sustain::mpg123().problem;
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return sustain::kNoLibrary;
  }
  // Whether it would run.
  if (count > 1 && std::strcmp(words[1], "--check") == 0) return sustain::kEnded;
  std::signal(SIGPIPE, SIG_IGN);
  // Ctrl-C goes to all that a terminal runs: the agent ends this in its own time.
  std::signal(SIGINT, SIG_IGN);
  sustain::giveUpRights();
  sustain::watchOverStreams();
  const int flags = fcntl(STDOUT_FILENO, F_GETFL);
  if (flags >= 0) fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
  return sustain::Host().run();
}
