#pragma once

#include <napi.h>

namespace sustain::binding {

/** Adds `SoundRing` and `letGo` to the functions of the addon. */
void defineSoundRing(Napi::Env env, Napi::Object functions);

}  // namespace sustain::binding
