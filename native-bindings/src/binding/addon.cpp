#include <napi.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

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

/**
 * What is large goes back to the system when it is freed. By itself glibc keeps it after the first time, and a search of
 * the whole of two legs at the start would leave a hole of megabytes in the heap of every station for ever.
 */
void returnLargeMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  // To set the one ends that this one grows with it, and the end of the heap would come and go with every block.
  mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
#endif
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  returnLargeMemory();
  env.SetInstanceData(new AddonData());
  exports.Set("initialise", Napi::Function::New(env, initialise, "initialise"));
  return exports;
}

}  // namespace

NODE_API_MODULE(sustain, init)
