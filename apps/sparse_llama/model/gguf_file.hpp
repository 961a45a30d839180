// A GGUF file (ggml, docs/gguf.md), versions 2 and 3, little-endian: keys with values, then where each tensor
// lies, then the tensors.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/mapped_file.hpp"
#include "sparse_llama/model/number_types.hpp"

namespace wafermark::llama {

/// Whether the bytes begin as such a file does.
bool is_gguf(std::string_view bytes);

class GgufFile {
 public:
  /// Reads and checks keys and places alone. Throws InputError that names file and key or tensor: not a whole
  /// file, another version, a name twice, tensors beyond the end.
  explicit GgufFile(const std::string& path);

  const std::string& path() const { return path_; }
  /// The value of a key; null where there is none. Of a list its length.
  nlohmann::json value(const std::string& key) const;
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Extents of a tensor that is there, rows first.
  const std::vector<std::int64_t>& shape(const std::string& name) const { return tensors_.at(name).shape; }
  /// Where its numbers lie. Throws InputError unless the tensor is there, has this shape, a type of
  /// number_rows and its whole place in the file.
  StoredNumbers numbers(const std::string& name, const std::vector<std::int64_t>& shape) const;

 private:
  struct Tensor {
    std::vector<std::int64_t> shape;
    std::uint64_t type = 0, offset = 0;
  };
  class Cursor;
  nlohmann::json read_value(Cursor& cursor, std::uint32_t type, int depth) const;
  void read_tensor(Cursor& cursor);
  [[noreturn]] void fail(const std::string& name, const std::string& found,
                         const std::string& expected) const;

  std::string path_;
  MappedFile file_;
  std::string_view data_;
  std::map<std::string, nlohmann::json> values_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace wafermark::llama
