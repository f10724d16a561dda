#include "mpg123.h"

#include "../codec/system_library.h"

namespace sustain {

namespace {

Mpg123 load() {
  Mpg123 found;
  SystemLibrary system("libmpg123", {"libmpg123.so.0", "libmpg123.0.dylib"});
  system.look("mpg123_init", found.init);
  system.look("mpg123_new", found.create);
  system.look("mpg123_delete", found.destroy);
  system.look("mpg123_param", found.setParameter);
  system.look("mpg123_format_none", found.formatNone);
  system.look("mpg123_format", found.format);
  system.look("mpg123_rates", found.rates);
  system.look("mpg123_open_feed", found.openFeed);
  system.look("mpg123_decode", found.decode);
  system.look("mpg123_getformat", found.getFormat);
  found.problem = system.problem();
  if (found.problem.empty() && found.init() != Mpg123::kOk) found.problem = "libmpg123 could not be started";
  return found;
}

}  // namespace

const Mpg123& mpg123() {
  static const Mpg123 found = load();
  return found;
}

}  // namespace sustain
