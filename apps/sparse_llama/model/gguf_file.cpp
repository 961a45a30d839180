#include "sparse_llama/model/gguf_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {

bool is_gguf(std::string_view bytes) { return bytes.starts_with("GGUF"); }

/// Takes values one after the other; what lies beyond the end is an error.
class GgufFile::Cursor {
 public:
  Cursor(const GgufFile& file, std::string_view bytes) : file_(file), bytes_(bytes) {}

  template <class T>
  T take() {
    T value;
    std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take_text() { return take_bytes(take<std::uint64_t>()); }
  std::string_view take_bytes(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      file_.fail("", fmt::format("found {} bytes", bytes_.size()), "a whole file");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint64_t at() const { return at_; }

 private:
  const GgufFile& file_;
  std::string_view bytes_;
  std::uint64_t at_ = 0;
};

namespace {
enum Type : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, list, u64, i64, f64 };
}

nlohmann::json GgufFile::read_value(Cursor& cursor, std::uint32_t type, int depth) const {
  constexpr int deepest = 4;  // lists of lists
  switch (type) {
    case u8:
      return cursor.take<std::uint8_t>();
    case i8:
      return cursor.take<std::int8_t>();
    case u16:
      return cursor.take<std::uint16_t>();
    case i16:
      return cursor.take<std::int16_t>();
    case u32:
      return cursor.take<std::uint32_t>();
    case i32:
      return cursor.take<std::int32_t>();
    case f32:
      return cursor.take<float>();
    case boolean:
      return cursor.take<std::uint8_t>() != 0;
    case text:
      return std::string(cursor.take_text());
    case u64:
      return cursor.take<std::uint64_t>();
    case i64:
      return cursor.take<std::int64_t>();
    case f64:
      return cursor.take<double>();
    case list: {
      const auto of = cursor.take<std::uint32_t>();
      const auto count = cursor.take<std::uint64_t>();
      if (depth == deepest) fail("", "found lists in lists", fmt::format("at most {} deep", deepest));
      for (std::uint64_t i = 0; i < count; ++i)
        read_value(cursor, of, depth + 1);  // each takes a byte or ends it
      return count;
    }
    default:
      fail("", fmt::format("found a value of type {}", type), "0 to 12");
  }
}

void GgufFile::read_tensor(Cursor& cursor) {
  const std::string name(cursor.take_text());
  Tensor tensor;
  const auto extents = cursor.take<std::uint32_t>();
  constexpr std::uint32_t most_extents = 4;
  if (extents > most_extents)
    fail(name, fmt::format("found {} extents", extents), fmt::format("at most {}", most_extents));
  for (std::uint32_t i = 0; i < extents; ++i) {
    const auto extent = cursor.take<std::uint64_t>();
    if (extent > std::uint64_t(1) << 40)
      fail(name, fmt::format("found an extent of {}", extent), "at most 2^40");
    tensor.shape.insert(tensor.shape.begin(), std::int64_t(extent));  // the file has the innermost first
  }
  tensor.type = cursor.take<std::uint32_t>();
  tensor.offset = cursor.take<std::uint64_t>();
  if (!tensors_.emplace(name, tensor).second) fail(name, "found the tensor twice", "it once");
}

GgufFile::GgufFile(const std::string& path) : path_(path), file_(path) {
  Cursor cursor(*this, file_.bytes());
  if (!is_gguf(cursor.take_bytes(4))) fail("", "found no GGUF file", "one");
  const auto version = cursor.take<std::uint32_t>();
  if (version != 2 && version != 3) fail("", fmt::format("found version {}", version), "2 or 3");
  const auto tensors = cursor.take<std::uint64_t>(), values = cursor.take<std::uint64_t>();
  for (std::uint64_t i = 0; i < values; ++i) {
    const std::string key(cursor.take_text());
    const auto type = cursor.take<std::uint32_t>();
    if (!values_.emplace(key, read_value(cursor, type, 0)).second)
      fail(key, "found the key twice", "it once");
  }
  for (std::uint64_t i = 0; i < tensors; ++i) read_tensor(cursor);
  const nlohmann::json given = value("general.alignment");
  const std::uint64_t alignment = given.is_number_unsigned() ? given.get<std::uint64_t>() : 32;
  if (alignment < 1 || alignment > 1 << 20)
    fail("general.alignment", "found " + shown(given), "1 to 1048576");
  const std::uint64_t begin = (cursor.at() + alignment - 1) / alignment * alignment;
  data_ = file_.bytes().substr(std::min<std::uint64_t>(begin, file_.bytes().size()));
}

nlohmann::json GgufFile::value(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nlohmann::json() : found->second;
}

std::vector<std::string> GgufFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

StoredNumbers GgufFile::numbers(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail("", "found no tensor " + name, "one");
  const Tensor& tensor = found->second;
  if (tensor.shape != shape)
    fail(name, fmt::format("found shape [{}]", fmt::join(tensor.shape, ",")),
         fmt::format("[{}]", fmt::join(shape, ",")));
  const auto row = std::find_if(number_rows.begin(), number_rows.end(),
                                [&](const NumberRow& r) { return std::uint64_t(r.in_gguf) == tensor.type; });
  if (row == number_rows.end()) {
    std::vector<std::string> names;
    for (const NumberRow& r : number_rows) names.push_back(r.name);
    fail(name, fmt::format("found type {} of ggml", tensor.type), fmt::format("{}", fmt::join(names, ", ")));
  }
  if (shape.back() % row->elements != 0)
    fail(name, fmt::format("found {} columns of {}", shape.back(), row->name),
         fmt::format("a multiple of {}", row->elements));
  std::uint64_t bytes = std::uint64_t(row->bytes);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto many = std::uint64_t(i + 1 < shape.size() ? shape[i] : shape[i] / row->elements);
    if (many > data_.size() / bytes) fail(name, "found no room for its numbers", "a whole file");
    bytes *= many;
  }
  if (tensor.offset > data_.size() || bytes > data_.size() - tensor.offset)
    fail(name, fmt::format("found {} bytes at {} of {}", bytes, tensor.offset, data_.size()), "a whole file");
  return {row->type, data_.substr(tensor.offset, bytes)};
}

void GgufFile::fail(const std::string& name, const std::string& found, const std::string& expected) const {
  const std::string where = name.empty() ? "" : " " + shown(name) + ":";
  throw InputError(fmt::format("{}:{} {}, expected {}", path_, where, found, expected));
}

}  // namespace wafermark::llama
