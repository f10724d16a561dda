#pragma once

#include <napi.h>

namespace sustain::binding {

/** Adds `sendDatagram` to the object that initialise() gives. */
void defineNotify(Napi::Env env, Napi::Object functions);

}  // namespace sustain::binding
