#pragma once

#include <cstdint>

namespace sustain {

/**
 * When a stream's bytes bring this process down, or keep it busy for a second of CPU, its last words on stderr are
 * `culprit: stream N`, so that whoever starts the next one can leave that stream out.
 */
void watchOverStreams();

/** At work on this stream from now on; 0 for none. */
void atWorkOn(std::uint32_t stream);

}  // namespace sustain
