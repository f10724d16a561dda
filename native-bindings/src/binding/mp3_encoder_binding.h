#pragma once

#include <napi.h>

namespace sustain::binding {

/** Adds `Mp3Encoder` and `mp3EncoderProblem` to the functions of the addon. */
void defineMp3Encoder(Napi::Env env, Napi::Object functions);

}  // namespace sustain::binding
