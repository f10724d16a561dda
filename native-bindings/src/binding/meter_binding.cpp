#include "meter_binding.h"

#include <cmath>
#include <string>

#include "arguments.h"

namespace sustain::binding {

namespace {

Preset presetFrom(const Napi::Object& object) {
  const Napi::Value value = object.Get("preset");
  if (value.IsUndefined()) return Preset::kMusic;
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "talk") return Preset::kTalk;
  if (name == "music") return Preset::kMusic;
  if (name == "classical") return Preset::kClassical;
  throw argumentError(object.Env(), "NATIVE_SETTING", "preset must be talk, music or classical");
}

bool looksForFaults(const Napi::Object& object) {
  const Napi::Value value = object.Get("findsFaults");
  if (value.IsUndefined()) return true;
  if (!value.IsBoolean()) throw argumentError(object.Env(), "NATIVE_SETTING", "findsFaults must be true or false");
  return value.As<Napi::Boolean>().Value();
}

MeterSettings settingsFrom(const Napi::Object& object) {
  MeterSettings settings;
  settings.sampleRateHz = requiredInteger(object, "sampleRateHz", static_cast<int>(kMinSampleRateHz),
                                          static_cast<int>(kMaxSampleRateHz), "NATIVE_SAMPLE_RATE");
  settings.channels = requiredInteger(object, "channels", 1, kMaxChannels, "NATIVE_CHANNELS");
  AudibilitySettings& audibility = settings.audibility;
  audibility.actFloorDbfs = numberSetting(object, "actFloorDbfs", -120, 0, audibility.actFloorDbfs);
  audibility.warnFloorDbfs = numberSetting(object, "warnFloorDbfs", -120, 0, audibility.warnFloorDbfs);
  audibility.quietProgrammeDb = numberSetting(object, "quietProgrammeDb", 0, 60, audibility.quietProgrammeDb);
  audibility.minModulationDb = numberSetting(object, "minModulationDb", 0, 60, audibility.minModulationDb);
  FaultRules faults = rulesFor(presetFrom(object));
  faults.targetLufs = numberSetting(object, "targetLufs", -70, 0, faults.targetLufs);
  faults.noiseCeilingDbfs = numberSetting(object, "noiseCeilingDbfs", -120, 0, faults.noiseCeilingDbfs);
  settings.faults.reset();
  if (looksForFaults(object)) settings.faults = faults;
  return settings;
}

Napi::Array perChannel(Napi::Env env, const std::array<double, kMaxChannels>& values, int channels) {
  auto array = Napi::Array::New(env, static_cast<std::size_t>(channels));
  for (int c = 0; c < channels; ++c) {
    array.Set(static_cast<std::uint32_t>(c), Napi::Number::New(env, values[static_cast<std::size_t>(c)]));
  }
  return array;
}

}  // namespace

Napi::Function MeterBinding::define(Napi::Env env) {
  return DefineClass(env, "Meter",
                     {InstanceMethod<&MeterBinding::push>("push"), InstanceMethod<&MeterBinding::summary>("summary"),
                      InstanceMethod<&MeterBinding::faultEpisodes>("faultEpisodes"),
                      InstanceMethod<&MeterBinding::reset>("reset"),
                      InstanceMethod<&MeterBinding::resetIntegrated>("resetIntegrated")});
}

MeterBinding::MeterBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<MeterBinding>(info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw argumentError(env, "NATIVE_SETTING", "Meter needs a settings object");
  settings_ = settingsFrom(info[0].As<Napi::Object>());
  View view;
  if (!viewOf(env, info[1], view) || view.type != napi_float64_array || view.length < kReadingFields) {
    throw argumentError(env, "NATIVE_READINGS",
                        "readings must be a Float64Array of at least " + std::to_string(kReadingFields) + " numbers");
  }
  readings_ = Napi::Persistent(info[1].As<Napi::Float64Array>());
  ring_.capacity = view.length / kReadingFields;
}

Meter& MeterBinding::meter() {
  if (!meter_) meter_ = std::make_unique<Meter>(settings_);
  return *meter_;
}

Napi::Value MeterBinding::push(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  View block;
  if (!viewOf(env, info[0], block) || block.type != napi_float32_array) {
    throw argumentError(env, "NATIVE_BLOCK_TYPE", "push needs a Float32Array of interleaved samples");
  }
  const auto channels = static_cast<std::size_t>(settings_.channels);
  if (block.length % channels != 0) {
    throw argumentError(env, "NATIVE_BLOCK_LENGTH",
                        std::to_string(block.length) + " samples are not a whole number of frames of " +
                            std::to_string(channels) + " channels");
  }
  if (block.length == 0) return Napi::Number::New(env, 0);
  // Looked up at every call: JavaScript may have transferred the buffer away, and then the memory is no longer ours.
  View readings;
  if (!viewOf(env, readings_.Value(), readings) || readings.length < ring_.capacity * kReadingFields) {
    throw argumentError(env, "NATIVE_READINGS", "the memory of the readings was transferred or resized");
  }
  ring_.rows = static_cast<double*>(readings.data);
  const std::size_t count = meter().push(static_cast<const float*>(block.data), block.length / channels, ring_);
  ring_.rows = nullptr;
  return Napi::Number::New(env, static_cast<double>(count));
}

Napi::Value MeterBinding::summary(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Summary summary = meter().summary();
  auto object = Napi::Object::New(env);
  object.Set("durationSeconds", summary.durationSeconds);
  object.Set("integratedLufs", summary.integratedLufs);
  object.Set("loudnessRangeLu", summary.loudnessRangeLu);
  object.Set("maxMomentaryLufs", summary.maxMomentaryLufs);
  object.Set("maxShortTermLufs", summary.maxShortTermLufs);
  object.Set("truePeakDbtp", summary.truePeakDbtp);
  object.Set("samplePeakDbfs", summary.samplePeakDbfs);
  object.Set("correlation", summary.correlation);
  object.Set("clippedSamples", summary.clippedSamples);
  object.Set("invalidSamples", summary.invalidSamples);
  object.Set("rmsDbfs", perChannel(env, summary.rmsDbfs, settings_.channels));
  object.Set("dcOffset", perChannel(env, summary.dcOffset, settings_.channels));
  return object;
}

Napi::Value MeterBinding::faultEpisodes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const FaultLog* faults = meter().faults();
  if (faults == nullptr) return Napi::Array::New(env);
  const auto& episodes = faults->episodes();
  auto array = Napi::Array::New(env, episodes.size());
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    const FaultEpisode& episode = episodes[i];
    const FaultDescription& description = kFaultDescriptions[episode.kind];
    auto evidence = Napi::Object::New(env);
    for (std::size_t n = 0; n < kEvidenceValues && description.evidence[n] != nullptr; ++n) {
      evidence.Set(description.evidence[n], episode.evidence[n]);
    }
    auto object = Napi::Object::New(env);
    object.Set("kind", description.name);
    object.Set("startSeconds", episode.startSeconds);
    object.Set("tripSeconds", episode.tripSeconds);
    object.Set("endSeconds", std::isnan(episode.endSeconds) ? env.Null() : Napi::Number::New(env, episode.endSeconds));
    object.Set("evidence", evidence);
    array.Set(static_cast<std::uint32_t>(i), object);
  }
  return array;
}

void MeterBinding::reset(const Napi::CallbackInfo&) {
  // Half a megabyte, which would otherwise wait for the collector of garbage: leg after leg, connection after connection.
  meter_.reset();
  ring_.written = 0;
}

void MeterBinding::resetIntegrated(const Napi::CallbackInfo&) { meter().resetIntegrated(); }

}  // namespace sustain::binding
