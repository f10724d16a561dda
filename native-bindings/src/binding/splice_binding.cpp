#include "splice_binding.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "../dsp/correlator.h"
#include "../dsp/interpolator.h"
#include "arguments.h"
#include "sound_ring_binding.h"

namespace sustain::binding {

namespace {

struct Sound {
  float* samples = nullptr;
  std::size_t frames = 0;
};

Sound soundOf(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  bool isTypedArray = false;
  const napi_env env = info.Env();
  const napi_value value = info[index];
  if (napi_is_typedarray(env, value, &isTypedArray) != napi_ok || !isTypedArray ||
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float32_array) {
    throw argumentError(info.Env(), "NATIVE_BLOCK_TYPE", std::string(name) + " must be a Float32Array");
  }
  if (length % 2 != 0) {
    throw argumentError(info.Env(), "NATIVE_BLOCK_LENGTH", std::string(name) + " is not a whole number of stereo frames");
  }
  return {static_cast<float*>(data), length / 2};
}

/**
 * A search takes some milliseconds, so it is done beside the event loop, on copies in mono: arrays stay JavaScript's own and
 * may be transferred or collected meanwhile, and rings forget.
 */
class Search : public Napi::AsyncWorker {
 public:
  Search(Napi::Env env, std::vector<float> needle, std::vector<float> haystack)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        needle_(std::move(needle)),
        haystack_(std::move(haystack)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { result_ = correlate(needle_, haystack_); }

  void OnOK() override {
    const Napi::Env env = Env();
    const Napi::HandleScope scope(env);
    if (!result_.heard) {
      deferred_.Resolve(env.Null());
      return;
    }
    auto object = Napi::Object::New(env);
    object.Set("offsetFrames", static_cast<double>(result_.offset));
    object.Set("peak", result_.peak);
    object.Set("inverted", result_.inverted);
    object.Set("runnerUp", result_.runnerUp);
    deferred_.Resolve(object);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  std::vector<float> needle_;
  std::vector<float> haystack_;
  Correlation result_;
};

Napi::Value searchLater(Napi::Env env, std::vector<float> needle, std::vector<float> haystack) {
  // Deletes itself when it is done.
  auto* search = new Search(env, std::move(needle), std::move(haystack));
  const Napi::Promise promise = search->promise();
  search->Queue();
  return promise;
}

Napi::Value correlateLater(const Napi::CallbackInfo& info) {
  const Sound needle = soundOf(info, 0, "needle");
  const Sound haystack = soundOf(info, 1, "haystack");
  return searchLater(info.Env(), monoOf(needle.samples, needle.frames), monoOf(haystack.samples, haystack.frames));
}

/** What a ring holds from a frame on, which is the argument behind it, as is how many; empty when it doesn't hold all of that. */
std::vector<float> heldAt(const Napi::CallbackInfo& info, std::size_t index) {
  const SoundRing& ring = ringAt(info, index);
  const double from = numberOf(info[index + 1]);
  const double frames = numberOf(info[index + 2]);
  const auto first = static_cast<double>(ring.startFrame());
  const auto end = static_cast<double>(ring.endFrame());
  if (!(from >= first && frames >= 0 && from + frames <= end)) return {};
  std::vector<float> mono(static_cast<std::size_t>(frames));
  if (!ring.readMono(static_cast<std::int64_t>(from), mono.data(), mono.size())) return {};
  return mono;
}

Napi::Value correlateHeldLater(const Napi::CallbackInfo& info) {
  return searchLater(info.Env(), heldAt(info, 0), heldAt(info, 3));
}

void interpolateNow(const Napi::CallbackInfo& info) {
  const Sound source = soundOf(info, 0, "source");
  const Sound out = soundOf(info, 3, "out");
  const double start = numberOf(info[1]);
  const double rate = numberOf(info[2]);
  const double last = start + static_cast<double>(out.frames) * rate;
  const auto reach = static_cast<double>(kInterpolatorReach);
  if (!(rate >= 0.9 && rate <= 1.1)) {
    throw argumentError(info.Env(), "NATIVE_SETTING", "rate must be a number from 0.9 to 1.1");
  }
  if (!(start >= reach && last + reach <= static_cast<double>(source.frames))) {
    throw argumentError(info.Env(), "NATIVE_BLOCK_LENGTH", "the positions are not within the source");
  }
  interpolate(source.samples, start, rate, out.samples, out.frames);
}

}  // namespace

void defineSplice(Napi::Env env, Napi::Object functions) {
  functions.Set("correlate", Napi::Function::New(env, correlateLater, "correlate"));
  functions.Set("correlateHeld", Napi::Function::New(env, correlateHeldLater, "correlateHeld"));
  functions.Set("interpolate", Napi::Function::New(env, interpolateNow, "interpolate"));
}

}  // namespace sustain::binding
