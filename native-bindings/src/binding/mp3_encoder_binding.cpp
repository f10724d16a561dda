#include "mp3_encoder_binding.h"

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "../codec/lame.h"
#include "arguments.h"

namespace sustain::binding {

namespace {

/** Shared by the object and the work that is under way, whichever ends last. */
struct State {
  explicit State(const Mp3Settings& settings) : lame(settings) {}
  LameEncoder lame;
  /** Kept from call to call, so that their memory isn't asked for each time. */
  std::vector<float> sound;
  std::vector<unsigned char> bytes;
  bool busy = false;
};

/** Encoding takes a hundredth of the time that the sound lasts, so it is done beside the event loop, on a copy. */
class Encoding : public Napi::AsyncWorker {
 public:
  Encoding(Napi::Env env, std::shared_ptr<State> state)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), state_(std::move(state)) {
    state_->busy = true;
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      state_->bytes.clear();
      state_->lame.encode(state_->sound.data(), state_->sound.size() / 2, state_->bytes);
    } catch (const std::runtime_error& error) {
      SetError(error.what());
    }
  }

  void OnOK() override {
    state_->busy = false;
    const Napi::Env env = Env();
    const Napi::HandleScope scope(env);
    deferred_.Resolve(Napi::Buffer<unsigned char>::Copy(env, state_->bytes.data(), state_->bytes.size()));
  }

  void OnError(const Napi::Error& error) override {
    state_->busy = false;
    deferred_.Reject(error.Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::shared_ptr<State> state_;
};

class Mp3EncoderBinding : public Napi::ObjectWrap<Mp3EncoderBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Mp3Encoder", {InstanceMethod("encode", &Mp3EncoderBinding::encode)});
  }

  explicit Mp3EncoderBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Mp3EncoderBinding>(info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsObject()) throw argumentError(env, "NATIVE_SETTING", "an encoder needs settings");
    const auto object = info[0].As<Napi::Object>();
    Mp3Settings settings;
    settings.bitrateKbps = requiredInteger(object, "bitrateKbps", 8, 320, "NATIVE_SETTING");
    settings.sampleRateHz = requiredInteger(object, "sampleRateHz", 8000, 48000, "NATIVE_SAMPLE_RATE");
    settings.channels = requiredInteger(object, "channels", 1, 2, "NATIVE_CHANNELS");
    settings.quality = static_cast<int>(numberSetting(object, "quality", -1, 9, -1));
    try {
      state_ = std::make_shared<State>(settings);
    } catch (const std::runtime_error& error) {
      throw argumentError(env, "NATIVE_SETTING", error.what());
    }
  }

 private:
  Napi::Value encode(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (state_->busy) throw argumentError(env, "NATIVE_BLOCK_TYPE", "the encoder is at work: wait for its promise");
    if (!info[0].IsArray()) throw argumentError(env, "NATIVE_BLOCK_TYPE", "encode needs an array of blocks");
    const auto blocks = info[0].As<Napi::Array>();
    std::vector<float>& sound = state_->sound;
    sound.clear();
    for (std::uint32_t i = 0; i < blocks.Length(); ++i) {
      View view;
      if (!viewOf(env, blocks[i], view) || view.type != napi_float32_array) {
        throw argumentError(env, "NATIVE_BLOCK_TYPE", "a block must be a Float32Array");
      }
      if (view.length % 2 != 0) {
        throw argumentError(env, "NATIVE_BLOCK_LENGTH", "a block is not a whole number of stereo frames");
      }
      const auto* samples = static_cast<const float*>(view.data);
      sound.insert(sound.end(), samples, samples + view.length);
    }
    // Deletes itself when it is done.
    auto* work = new Encoding(env, state_);
    const Napi::Promise promise = work->promise();
    work->Queue();
    return promise;
  }

  std::shared_ptr<State> state_;
};

}  // namespace

void defineMp3Encoder(Napi::Env env, Napi::Object functions) {
  functions.Set("Mp3Encoder", Mp3EncoderBinding::define(env));
  const auto problem = [](const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), lameProblem());
  };
  functions.Set("mp3EncoderProblem", Napi::Function::New(env, problem, "mp3EncoderProblem"));
}

}  // namespace sustain::binding
