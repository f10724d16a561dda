#include <napi.h>

#include "../dsp/fault_kinds.h"
#include "../dsp/reading.h"
#include "arguments.h"
#include "meter_binding.h"
#include "mp3_encoder_binding.h"
#include "notify_binding.h"
#include "processor_binding.h"
#include "sound_ring_binding.h"
#include "splice_binding.h"

namespace {

using sustain::binding::AddonData;
using sustain::binding::MeterBinding;

/** `initialise(NativeArgumentError)` gives the classes of this addon; the error class stays one of JavaScript's own. */
Napi::Value initialise(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsFunction()) throw Napi::TypeError::New(env, "initialise needs the error class");
  env.GetInstanceData<AddonData>()->argumentError = Napi::Persistent(info[0].As<Napi::Function>());
  auto classes = Napi::Object::New(env);
  classes.Set("Meter", MeterBinding::define(env));
  classes.Set("readingFields", Napi::Number::New(env, static_cast<double>(sustain::kReadingFields)));
  sustain::binding::defineProcessor(env, classes);
  sustain::binding::defineSoundRing(env, classes);
  sustain::binding::defineSplice(env, classes);
  sustain::binding::defineNotify(env, classes);
  sustain::binding::defineMp3Encoder(env, classes);
  auto kinds = Napi::Array::New(env, sustain::kFaultKinds);
  for (std::uint32_t kind = 0; kind < sustain::kFaultKinds; ++kind) {
    kinds.Set(kind, Napi::String::New(env, sustain::kFaultDescriptions[kind].name));
  }
  classes.Set("faultKinds", kinds);
  return classes;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new AddonData());
  exports.Set("initialise", Napi::Function::New(env, initialise, "initialise"));
  return exports;
}

}  // namespace

NODE_API_MODULE(sustain, init)
