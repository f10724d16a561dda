#include "sound_ring_binding.h"

#include <cmath>

#include "arguments.h"

namespace sustain::binding {

namespace {

/** A day of sound: more than anybody keeps, and far from where doubles stop counting in ones. */
constexpr int kMostFrames = 2000000000;

/** By this a ring is told from any other object that JavaScript may give. */
constexpr napi_type_tag kRingTag = {0x5b0f3c1e9d7a4826, 0xa46e21d8730bc95f};

View stereo(const Napi::CallbackInfo& info, std::size_t index) {
  View view;
  if (!viewOf(info.Env(), info[index], view) || view.type != napi_float32_array) {
    throw argumentError(info.Env(), "NATIVE_BLOCK_TYPE", "sound must be a Float32Array");
  }
  if (view.length % 2 != 0) {
    throw argumentError(info.Env(), "NATIVE_BLOCK_LENGTH", "sound is not a whole number of stereo frames");
  }
  return view;
}

class SoundRingBinding : public Napi::ObjectWrap<SoundRingBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "SoundRing",
                       {InstanceMethod("push", &SoundRingBinding::push), InstanceMethod("read", &SoundRingBinding::read),
                        InstanceMethod("forgetBefore", &SoundRingBinding::forgetBefore),
                        InstanceAccessor<&SoundRingBinding::startFrame>("startFrame"),
                        InstanceAccessor<&SoundRingBinding::endFrame>("endFrame"),
                        InstanceAccessor<&SoundRingBinding::heldBytes>("heldBytes")});
  }

  explicit SoundRingBinding(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<SoundRingBinding>(info), ring_(mostFrames(info)) {
    info.This().As<Napi::Object>().TypeTag(&kRingTag);
  }

  const SoundRing& ring() const { return ring_; }

 private:
  static std::int64_t mostFrames(const Napi::CallbackInfo& info) {
    const double frames = numberOf(info[0]);
    if (!(frames >= 1 && frames <= kMostFrames)) {
      throw argumentError(info.Env(), "NATIVE_SETTING", "a ring needs the number of frames that it keeps");
    }
    return static_cast<std::int64_t>(frames);
  }

  void push(const Napi::CallbackInfo& info) {
    const View sound = stereo(info, 0);
    ring_.push(static_cast<const float*>(sound.data), sound.length / 2);
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    const double from = numberOf(info[0]);
    const View out = stereo(info, 1);
    const bool isHere =
        std::fabs(from) < 9e15 && ring_.read(static_cast<std::int64_t>(from), static_cast<float*>(out.data), out.length / 2);
    return Napi::Boolean::New(info.Env(), isHere);
  }

  void forgetBefore(const Napi::CallbackInfo& info) {
    const double frame = numberOf(info[0]);
    if (std::fabs(frame) < 9e15) ring_.forgetBefore(static_cast<std::int64_t>(std::floor(frame)));
  }

  Napi::Value startFrame(const Napi::CallbackInfo& info) { return number(info, static_cast<double>(ring_.startFrame())); }
  Napi::Value endFrame(const Napi::CallbackInfo& info) { return number(info, static_cast<double>(ring_.endFrame())); }
  Napi::Value heldBytes(const Napi::CallbackInfo& info) { return number(info, static_cast<double>(ring_.heldBytes())); }

  static Napi::Value number(const Napi::CallbackInfo& info, double value) { return Napi::Number::New(info.Env(), value); }

  SoundRing ring_;
};

/** Memory that nobody will look at any more is given back now, and not when there is so much of it that V8 looks for it. */
void letGo(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  bool isBuffer = false;
  bool isDetached = false;
  if (napi_is_arraybuffer(env, info[0], &isBuffer) != napi_ok || !isBuffer) {
    throw argumentError(env, "NATIVE_BLOCK_TYPE", "what is let go of must be an ArrayBuffer");
  }
  if (napi_is_detached_arraybuffer(env, info[0], &isDetached) == napi_ok && !isDetached) {
    napi_detach_arraybuffer(env, info[0]);
  }
}

}  // namespace

const SoundRing& ringAt(const Napi::CallbackInfo& info, std::size_t index) {
  if (!info[index].IsObject() || !info[index].As<Napi::Object>().CheckTypeTag(&kRingTag)) {
    throw argumentError(info.Env(), "NATIVE_BLOCK_TYPE", "what is searched must be a SoundRing");
  }
  return SoundRingBinding::Unwrap(info[index].As<Napi::Object>())->ring();
}

void defineSoundRing(Napi::Env env, Napi::Object functions) {
  functions.Set("SoundRing", SoundRingBinding::define(env));
  functions.Set("letGo", Napi::Function::New(env, letGo, "letGo"));
}

}  // namespace sustain::binding
