#include "notify_binding.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace sustain::binding {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
constexpr int kFlags = MSG_DONTWAIT;
#endif

/** 0, or the errno of what went wrong. Never waits: a full socket must not hold up the sound. */
int sendOnce(const std::string& path, const std::string& text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  // A name that begins with @ is of Linux' abstract kind, which has no file.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (descriptor < 0) return errno;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const ssize_t sent = sendto(descriptor, text.data(), text.size(), kFlags,
                              reinterpret_cast<const sockaddr*>(&address), length);
  const int failure = sent < 0 ? errno : 0;
  close(descriptor);
  return failure;
}

Napi::Value sendDatagram(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  const std::string text = info[1].ToString().Utf8Value();
  return Napi::Number::New(info.Env(), sendOnce(path, text));
}

}  // namespace

void defineNotify(Napi::Env env, Napi::Object functions) {
  functions.Set("sendDatagram", Napi::Function::New(env, sendDatagram, "sendDatagram"));
}

}  // namespace sustain::binding
