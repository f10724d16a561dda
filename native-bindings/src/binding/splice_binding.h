#pragma once

#include <napi.h>

namespace sustain::binding {

/** Adds `correlate`, `correlateHeld` and `interpolate` to the object that initialise() gives. */
void defineSplice(Napi::Env env, Napi::Object functions);

}  // namespace sustain::binding
