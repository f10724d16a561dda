#pragma once

#include <dlfcn.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace sustain {

/**
 * A library of the system, found when it is needed: no headers, no part of the build. It is never closed, as threads may be at
 * work in it until the process ends.
 */
class SystemLibrary {
 public:
  /** `files`: what it is called on one system and another. */
  SystemLibrary(std::string name, std::initializer_list<const char*> files) : name_(std::move(name)) {
    for (const char* file : files) {
      if (handle_ == nullptr) handle_ = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    }
    if (handle_ == nullptr) problem_ = name_ + " is not installed";
  }

  /** Leaves null what is not there. */
  template <typename Function>
  void look(const char* symbol, Function& into) {
    if (handle_ == nullptr) return;
    into = reinterpret_cast<Function>(dlsym(handle_, symbol));
    if (into == nullptr && problem_.empty()) problem_ = name_ + " has no " + symbol;
  }

  /** Why it can't be used: the first thing that was missing; empty when all was found. */
  const std::string& problem() const { return problem_; }

 private:
  std::string name_;
  void* handle_ = nullptr;
  std::string problem_;
};

}  // namespace sustain
