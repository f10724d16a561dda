#pragma once

#include <napi.h>

namespace sustain::binding {

/**
 * Adds to the object that initialise() gives: the class `Processor`, `processorParameters` (the names of the values that
 * it takes, in their order), `processorFields` (the columns of its readings) and `processorLatencyFrames`.
 */
void defineProcessor(Napi::Env env, Napi::Object classes);

}  // namespace sustain::binding
