// Writes a model's tensors into one safetensors file, in any order and piece by piece.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

enum class StoredType { fp32, bf16 };
inline const char* name_of(StoredType type) { return type == StoredType::bf16 ? "bf16" : "fp32"; }

class SafetensorsWriter {
 public:
  enum class Start { anew, go_on };
  /// A file for all tensors of a model, of its full size from the beginning; `go_on`: one that is there, of
  /// the same model and type. Throws std::runtime_error when it cannot be written or the disk is too small.
  SafetensorsWriter(std::string path, const Configuration& configuration, StoredType type, Start start);
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  /// Elements [first, first + count) of a tensor; bf16 rounds to nearest, ties to even. Throws
  /// std::runtime_error.
  void write(const std::string& tensor, std::int64_t first, const float* values, std::int64_t count) const;
  /// Pushes what was written to the disk. Throws std::runtime_error.
  void flush() const;

 private:
  void write_bytes(const char* bytes, std::int64_t count, std::int64_t offset) const;
  [[noreturn]] void fail(int error) const;

  std::string path_;
  StoredType type_;
  std::map<std::string, std::int64_t> offsets_;  ///< of the tensors in the file
  int file_ = -1;
};

}  // namespace wafermark::llama
