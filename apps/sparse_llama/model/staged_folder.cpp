#include "sparse_llama/model/staged_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>  // renameat2
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "common/errors.hpp"
#include "sparse_llama/model/companion_files.hpp"

namespace wafermark::llama {
namespace {

namespace fs = std::filesystem;

/// Weights and what belongs to them: of the old model, not to be mixed with the new one.
bool is_of_a_model(const std::string& name) {
  return name == "config.json" || name.ends_with(".safetensors") ||
         name.ends_with(".safetensors.index.json") || name.starts_with("pytorch_model") || is_companion(name);
}

}  // namespace

bool holds_model(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".safetensors") || name.starts_with("pytorch_model")) return true;
  }
  return false;
}

StagedFolder::StagedFolder(const std::string& folder)
    : folder_(fs::path(folder).lexically_normal().string()) {
  while (folder_.size() > 1 && folder_.ends_with('/')) folder_.pop_back();
  staging_ = folder_ + ".unfinished-export";
  std::error_code error;
  fs::remove_all(staging_, error);  // of a program that was killed
  if (fs::exists(folder_, error) && !fs::is_directory(folder_, error))
    throw InputError(fmt::format("{}: found a file, expected a folder or nothing", folder));
  fs::create_directories(staging_, error);
  if (error)
    throw InputError(
        fmt::format("{}: cannot be made: {}, expected a writable place", folder, error.message()));
}

StagedFolder::~StagedFolder() {
  std::error_code error;
  fs::remove_all(staging_, error);
}

void StagedFolder::commit() {
  const auto fail = [&](int error) {
    throw std::runtime_error(fmt::format("{}: cannot be put in place: {}", folder_, std::strerror(error)));
  };
  std::error_code error;
  if (!fs::exists(folder_, error)) {
    if (::rename(staging_.c_str(), folder_.c_str()) != 0) fail(errno);
    return;
  }
  if (::renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, folder_.c_str(), RENAME_EXCHANGE) != 0) {
    // Some file systems cannot exchange: then there is a moment without a folder, and never without a model.
    const std::string former = folder_ + ".former";
    if (::rename(folder_.c_str(), former.c_str()) != 0) fail(errno);
    if (::rename(staging_.c_str(), folder_.c_str()) != 0) {
      const int why = errno;
      ::rename(former.c_str(), folder_.c_str());
      fail(why);
    }
    if (::rename(former.c_str(), staging_.c_str()) != 0) fail(errno);
  }
  for (fs::directory_iterator entry(staging_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const fs::path kept = fs::path(folder_) / name;
    std::error_code moved;
    if (!is_of_a_model(name) && !fs::exists(kept, moved)) fs::rename(entry->path(), kept, moved);
  }
}

}  // namespace wafermark::llama
