#include "mpg123.h"

#include <dlfcn.h>

namespace sustain {

namespace {

template <typename Function>
void look(void* handle, const char* name, Function& into, std::string& problem) {
  into = reinterpret_cast<Function>(dlsym(handle, name));
  if (into == nullptr && problem.empty()) problem = std::string("libmpg123 has no ") + name;
}

Mpg123 load() {
  Mpg123 found;
  void* handle = nullptr;
  for (const char* name : {"libmpg123.so.0", "libmpg123.0.dylib"}) {
    if (handle == nullptr) handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (handle == nullptr) {
    found.problem = "libmpg123 is not installed";
    return found;
  }
  look(handle, "mpg123_init", found.init, found.problem);
  look(handle, "mpg123_new", found.create, found.problem);
  look(handle, "mpg123_delete", found.destroy, found.problem);
  look(handle, "mpg123_param", found.setParameter, found.problem);
  look(handle, "mpg123_format_none", found.formatNone, found.problem);
  look(handle, "mpg123_format", found.format, found.problem);
  look(handle, "mpg123_rates", found.rates, found.problem);
  look(handle, "mpg123_open_feed", found.openFeed, found.problem);
  look(handle, "mpg123_decode", found.decode, found.problem);
  look(handle, "mpg123_getformat", found.getFormat, found.problem);
  if (found.problem.empty() && found.init() != Mpg123::kOk) found.problem = "libmpg123 could not be started";
  return found;
}

}  // namespace

const Mpg123& mpg123() {
  static const Mpg123 found = load();
  return found;
}

}  // namespace sustain
