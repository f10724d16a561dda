#include "processor_binding.h"

#include <cmath>
#include <memory>
#include <string>

#include "../dsp/processor.h"
#include "arguments.h"

namespace sustain::binding {

namespace {

ChainSettings settingsOf(Napi::Env env, const Napi::Value& value) {
  View view;
  if (!viewOf(env, value, view) || view.type != napi_float64_array || view.length != kChainParameters.size()) {
    throw argumentError(env, "NATIVE_SETTING",
                        "the settings must be a Float64Array of " + std::to_string(kChainParameters.size()) + " numbers");
  }
  const auto* values = static_cast<const double*>(view.data);
  for (std::size_t i = 0; i < kChainParameters.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw argumentError(env, "NATIVE_SETTING", std::string(kChainParameters[i]) + " must be a finite number");
    }
  }
  return settingsFrom(values);
}

/** The JavaScript class `Processor`: checks arguments, finds the memory, and leaves the rest to sustain::Processor. */
class ProcessorBinding : public Napi::ObjectWrap<ProcessorBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Processor",
                       {InstanceMethod<&ProcessorBinding::process>("process"),
                        InstanceMethod<&ProcessorBinding::change>("change")});
  }

  /** `new Processor(settings, readings)`: `readings` is a Float64Array of whole rows that process() writes to. */
  explicit ProcessorBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ProcessorBinding>(info) {
    const Napi::Env env = info.Env();
    const ChainSettings settings = settingsOf(env, info[0]);
    View view;
    if (!viewOf(env, info[1], view) || view.type != napi_float64_array || view.length < kProcessorFields) {
      throw argumentError(env, "NATIVE_READINGS",
                          "readings must be a Float64Array of at least " + std::to_string(kProcessorFields) + " numbers");
    }
    readings_ = Napi::Persistent(info[1].As<Napi::Float64Array>());
    ring_.capacity = view.length / kProcessorFields;
    processor_ = std::make_unique<Processor>(settings);
  }

 private:
  Napi::Value process(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    View block;
    if (!viewOf(env, info[0], block) || block.type != napi_float32_array) {
      throw argumentError(env, "NATIVE_BLOCK_TYPE", "process needs a Float32Array of interleaved stereo");
    }
    if (block.length % 2 != 0) {
      throw argumentError(env, "NATIVE_BLOCK_LENGTH",
                          std::to_string(block.length) + " samples are not a whole number of stereo frames");
    }
    if (block.length == 0) return Napi::Number::New(env, 0);
    // Looked up at every call: JavaScript may have transferred the buffer away, and then the memory is no longer ours.
    View readings;
    if (!viewOf(env, readings_.Value(), readings) || readings.length < ring_.capacity * kProcessorFields) {
      throw argumentError(env, "NATIVE_READINGS", "the memory of the readings was transferred or resized");
    }
    ring_.rows = static_cast<double*>(readings.data);
    const std::size_t count = processor_->process(static_cast<float*>(block.data), block.length / 2, ring_);
    ring_.rows = nullptr;
    return Napi::Number::New(env, static_cast<double>(count));
  }

  void change(const Napi::CallbackInfo& info) { processor_->change(settingsOf(info.Env(), info[0])); }

  std::unique_ptr<Processor> processor_;
  ProcessorRing ring_;
  Napi::Reference<Napi::Float64Array> readings_;
};

}  // namespace

void defineProcessor(Napi::Env env, Napi::Object classes) {
  auto names = Napi::Array::New(env, kChainParameters.size());
  for (std::uint32_t i = 0; i < kChainParameters.size(); ++i) names.Set(i, Napi::String::New(env, kChainParameters[i]));
  classes.Set("processorParameters", names);
  classes.Set("processorFields", Napi::Number::New(env, static_cast<double>(kProcessorFields)));
  classes.Set("processorLatencyFrames", Napi::Number::New(env, static_cast<double>(Processor::kLatencyFrames)));
  classes.Set("Processor", ProcessorBinding::define(env));
}

}  // namespace sustain::binding
