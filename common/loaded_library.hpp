// A library that is loaded while the program runs, so that a build does not need it.
#pragma once

#include <dlfcn.h>

#include <string>

namespace wafermark {

/// Closed when nobody holds it any more, unless `more_flags` of dlopen() say otherwise.
class LoadedLibrary {
 public:
  explicit LoadedLibrary(const std::string& name, int more_flags = 0)
      : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | more_flags)) {}
  ~LoadedLibrary() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  LoadedLibrary(const LoadedLibrary&) = delete;
  LoadedLibrary& operator=(const LoadedLibrary&) = delete;
  bool open() const { return handle_ != nullptr; }
  /// Null where the library has no such function.
  template <class Function>
  Function* find(const char* name) const {
    return handle_ == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(handle_, name));
  }

 private:
  void* handle_;
};

}  // namespace wafermark
