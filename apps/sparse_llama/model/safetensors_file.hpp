// One safetensors file: eight bytes of header length, a JSON header that says where each tensor lies, the
// tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/mapped_file.hpp"

namespace wafermark::llama {

class SafetensorsFile {
 public:
  /// Reads and checks the header alone. Throws InputError that names file and tensor: not a whole file, no
  /// JSON, a name twice, tensors that overlap or lie beyond the end.
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return path_; }
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.contains(name); }

  /// The values of a tensor that the file has, as fp32. Throws InputError unless it has this shape, is F32,
  /// F16 or BF16, fills its place exactly and holds numbers only.
  std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape) const;

 private:
  struct Entry {
    std::string type, shape;  // as JSON, for comparison and messages
    std::uint64_t first = 0, last = 0;
  };
  [[noreturn]] void fail(const std::string& name, const std::string& found,
                         const std::string& expected) const;

  std::string path_;
  MappedFile file_;
  std::string_view data_;
  std::map<std::string, Entry> entries_;
};

}  // namespace wafermark::llama
