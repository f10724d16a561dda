#include "arguments.h"

#include <cmath>
#include <sstream>

namespace sustain::binding {

namespace {

std::string describe(const Napi::Value& value) {
  if (value.IsNumber()) {
    std::ostringstream text;
    text << value.As<Napi::Number>().DoubleValue();
    return text.str();
  }
  if (value.IsUndefined()) return "undefined";
  if (value.IsNull()) return "null";
  if (value.IsString()) return "a string";
  return "a value of another type";
}

}  // namespace

Napi::Error argumentError(Napi::Env env, const char* code, const std::string& message) {
  const auto* data = env.GetInstanceData<AddonData>();
  if (data == nullptr || data->argumentError.IsEmpty()) return Napi::TypeError::New(env, message);
  const Napi::Object error =
      data->argumentError.New({Napi::String::New(env, code), Napi::String::New(env, message)});
  return Napi::Error(env, error);
}

double numberOf(const Napi::Value& value) {
  return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
}

double numberSetting(const Napi::Object& object, const char* name, double least, double most, double otherwise) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return otherwise;
  const double number = numberOf(value);
  if (!(number >= least && number <= most)) {
    std::ostringstream text;
    text << name << " must be a number from " << least << " to " << most << ", not " << describe(value);
    throw argumentError(object.Env(), "NATIVE_SETTING", text.str());
  }
  return number;
}

int requiredInteger(const Napi::Object& object, const char* name, int least, int most, const char* code) {
  const Napi::Value value = object.Get(name);
  const double number = numberOf(value);
  if (!(number >= least && number <= most) || number != std::floor(number)) {
    std::ostringstream text;
    text << name << " must be a whole number from " << least << " to " << most << ", not " << describe(value);
    throw argumentError(object.Env(), code, text.str());
  }
  return static_cast<int>(number);
}

bool viewOf(napi_env env, napi_value value, View& view) {
  bool typedArray = false;
  if (napi_is_typedarray(env, value, &typedArray) != napi_ok || !typedArray) return false;
  return napi_get_typedarray_info(env, value, &view.type, &view.length, &view.data, nullptr, nullptr) == napi_ok;
}

}  // namespace sustain::binding
