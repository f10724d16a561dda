#pragma once

#include <napi.h>

#include <cstddef>
#include <string>

namespace sustain::binding {

/** Per-environment state: every worker thread has its own, and it goes when the worker goes. */
struct AddonData {
  Napi::FunctionReference argumentError;
};

/** An error of the class that JavaScript handed to initialise(): `new NativeArgumentError(code, message)`. */
Napi::Error argumentError(Napi::Env env, const char* code, const std::string& message);

/** NaN of what is no number. */
double numberOf(const Napi::Value& value);

/** Reads a finite number between `least` and `most` from `object[name]`, or gives `otherwise` when it is undefined. */
double numberSetting(const Napi::Object& object, const char* name, double least, double most, double otherwise);

/** As numberSetting, for a setting that must be there and be a whole number. */
int requiredInteger(const Napi::Object& object, const char* name, int least, int most, const char* code);

/** What a typed array views at this moment: nothing, once its buffer was transferred to another thread. */
struct View {
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
};

/** False when the value is no typed array. */
bool viewOf(napi_env env, napi_value value, View& view);

}  // namespace sustain::binding
