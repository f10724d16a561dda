#pragma once

#include <napi.h>

#include <cstddef>

#include "../dsp/sound_ring.h"

namespace sustain::binding {

/** The ring that is given as an argument. Throws NATIVE_BLOCK_TYPE when it is something else. */
const SoundRing& ringAt(const Napi::CallbackInfo& info, std::size_t index);

/** Adds `SoundRing` and `letGo` to the functions of the addon. */
void defineSoundRing(Napi::Env env, Napi::Object functions);

}  // namespace sustain::binding
