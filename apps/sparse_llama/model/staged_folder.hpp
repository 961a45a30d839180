// A folder that appears whole or not at all: made beside its place under another name, then put there.
#pragma once

#include <string>

namespace wafermark::llama {

class StagedFolder {
 public:
  /// Makes "FOLDER.unfinished-export", anew where a killed program left one. One program at a time: the
  /// caller holds an OutputLock of FOLDER. Throws InputError when it cannot be made.
  explicit StagedFolder(const std::string& folder);
  ~StagedFolder();  ///< takes away what was not put in place
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  /// Where to write meanwhile.
  const std::string& path() const { return staging_; }

  /// Puts it in place. A folder that is there already is exchanged for it in one step; then its files that
  /// are no part of a model move into the new one, and the rest of it goes. Throws std::runtime_error.
  void commit();

 private:
  std::string folder_, staging_;
};

/// Whether a folder holds weights as Hugging Face keeps them, *.safetensors or pytorch_model*.
bool holds_model(const std::string& folder);

}  // namespace wafermark::llama
