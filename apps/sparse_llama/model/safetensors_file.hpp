// One safetensors file: eight bytes of header length, a JSON header that says where each tensor lies, the
// tensors.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/mapped_file.hpp"
#include "sparse_llama/model/number_types.hpp"

namespace wafermark::llama {

class SafetensorsFile {
 public:
  /// Reads and checks the header alone. Throws InputError that names file and tensor: not a whole file, no
  /// JSON, a name twice, tensors that overlap, leave holes or lie beyond the end.
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return path_; }
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.contains(name); }

  // The values of a tensor that the file has, where they lie. All throw InputError unless it has this shape
  // and fills its place exactly.

  /// F64, F32, F16 or BF16.
  StoredNumbers numbers(const std::string& name, const std::vector<std::int64_t>& shape) const;
  /// The same of a tensor of any shape.
  StoredNumbers list(const std::string& name) const;
  std::vector<std::int64_t> read_integers(const std::string& name,
                                          const std::vector<std::int64_t>& shape) const;  ///< I64 or I32
  std::string_view bytes(const std::string& name, const std::vector<std::int64_t>& shape) const;  ///< U8

 private:
  struct Entry {
    std::string type;  // "F32"
    std::vector<std::int64_t> shape;
    std::uint64_t first = 0, last = 0;
  };
  Entry entry_of(const std::string& name, const nlohmann::json& tensor) const;
  void expect_no_gaps() const;
  /// A tensor's elements, of a type that `widths` has, with as many bytes as its shape asks for.
  std::string_view place(const std::string& name, const std::map<std::string, std::uint64_t>& widths) const;
  void expect_shape(const std::string& name, const std::vector<std::int64_t>& shape) const;
  [[noreturn]] void fail(const std::string& name, const std::string& found,
                         const std::string& expected) const;

  std::string path_;
  MappedFile file_;
  std::string_view data_;
  std::map<std::string, Entry> entries_;
};

}  // namespace wafermark::llama
