#pragma once

#include <cstddef>
#include <string>

namespace sustain {

/**
 * The part of libmpg123's interface that is used, as mpg123.h of 1.25 and later declares it; nothing in it depends on
 * the size of a file offset. It is looked for in the system when it is first needed and is no part of the build.
 */
struct Mpg123 {
  struct Handle;
  int (*init)() = nullptr;
  Handle* (*create)(const char* decoder, int* error) = nullptr;
  void (*destroy)(Handle*) = nullptr;
  int (*setParameter)(Handle*, int kind, long value, double fraction) = nullptr;
  int (*formatNone)(Handle*) = nullptr;
  int (*format)(Handle*, long rateHz, int channels, int encodings) = nullptr;
  void (*rates)(const long** list, std::size_t* count) = nullptr;
  int (*openFeed)(Handle*) = nullptr;
  int (*decode)(Handle*, const unsigned char* in, std::size_t inBytes, unsigned char* out, std::size_t outBytes,
                std::size_t* done) = nullptr;
  int (*getFormat)(Handle*, long* rateHz, int* channels, int* encoding) = nullptr;
  /** Empty when it can be used. */
  std::string problem;

  static constexpr int kOk = 0;
  static constexpr int kNeedMore = -10;
  static constexpr int kNewFormat = -11;

  static constexpr int kFlags = 1;
  static constexpr int kIndexSize = 15;
  static constexpr long kQuiet = 0x20;
  static constexpr long kIgnoreStreamLength = 0x1000;
  static constexpr long kSkipId3v2 = 0x2000;

  static constexpr int kMonoAndStereo = 1 | 2;
  static constexpr int kFloat32 = 0x200;
};

const Mpg123& mpg123();

}  // namespace sustain
