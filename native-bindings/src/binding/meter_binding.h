#pragma once

#include <napi.h>

#include <memory>

#include "../dsp/meter.h"

namespace sustain::binding {

/** The JavaScript class `Meter`: checks arguments, finds the memory, and leaves the rest to sustain::Meter. */
class MeterBinding : public Napi::ObjectWrap<MeterBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  /** `new Meter(settings, readings)`: `readings` is a Float64Array of whole rows that push() writes to. */
  explicit MeterBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value push(const Napi::CallbackInfo& info);
  Napi::Value summary(const Napi::CallbackInfo& info);
  Napi::Value faultEpisodes(const Napi::CallbackInfo& info);
  void reset(const Napi::CallbackInfo& info);
  void resetIntegrated(const Napi::CallbackInfo& info);

  /** Made with the first sound, and again with the first after a reset. */
  Meter& meter();

  MeterSettings settings_;
  std::unique_ptr<Meter> meter_;
  ReadingRing ring_;
  Napi::Reference<Napi::Float64Array> readings_;
};

}  // namespace sustain::binding
