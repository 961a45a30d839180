#include "sparse_llama/model/safetensors_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

/// Little-endian elements of type Stored, which may lie at any address.
template <class Stored>
void widen(std::string_view from, std::vector<std::int64_t>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, from.data() + i * sizeof stored, sizeof stored);
    to[i] = stored;
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path), file_(path) {
  constexpr std::uint64_t longest_header = 100'000'000;  // the format's own limit
  const std::string_view bytes = file_.bytes();
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) fail("", fmt::format("found {} bytes", bytes.size()), "a header");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (const std::string kind = foreign_kind(bytes); !kind.empty())
    throw InputError(fmt::format("{}: found {}", path, kind));
  if (length > bytes.size() - sizeof length)
    fail("", fmt::format("found a header of {} bytes in a file of {}", length, bytes.size()), "a whole file");
  if (length > longest_header)
    fail("", fmt::format("found a header of {} bytes", length), fmt::format("at most {}", longest_header));
  const json header = parse_json(bytes.substr(sizeof length, length), path);
  if (!header.is_object()) fail("", "found a header that is not an object", "an object");
  data_ = bytes.substr(sizeof length + length);
  for (const auto& [name, tensor] : header.items())
    if (name != "__metadata__") entries_[name] = entry_of(name, tensor);
  expect_no_gaps();
}

SafetensorsFile::Entry SafetensorsFile::entry_of(const std::string& name, const json& tensor) const {
  const json offsets = member(tensor, "data_offsets"), shape = member(tensor, "shape"),
             type = member(tensor, "dtype");
  const auto natural = [](const json& number) {
    return number.is_number_unsigned() && number.get<std::uint64_t>() < std::uint64_t(1) << 62;
  };
  if (!offsets.is_array() || offsets.size() != 2 || !natural(offsets[0]) || !natural(offsets[1]))
    fail(name, "found data_offsets " + shown(offsets), "two numbers");
  if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), natural))
    fail(name, "found shape " + shown(shape), "a list of sizes");
  if (!type.is_string()) fail(name, "found dtype " + shown(type), "a type");
  Entry entry{type, {}, offsets[0], offsets[1]};
  for (const json& extent : shape) entry.shape.push_back(extent.get<std::int64_t>());
  if (entry.first > entry.last || entry.last > data_.size())
    fail(name, "found data_offsets " + shown(offsets), fmt::format("at most {}", data_.size()));
  return entry;
}

/// The format wants each byte in one tensor: bytes that nobody names are damage, or something hidden.
void SafetensorsFile::expect_no_gaps() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted;
  for (const auto& [name, entry] : entries_) sorted.emplace_back(entry.first, entry.last);
  std::sort(sorted.begin(), sorted.end());
  std::uint64_t end = 0;
  for (const auto& [first, last] : sorted) {
    if (first < end) fail("", "found tensors that overlap", "each in its own place");
    if (first > end)
      fail("", fmt::format("found {} bytes at {} that are of no tensor", first - end, end), "none");
    end = last;
  }
  if (end != data_.size())
    fail("", fmt::format("found {} bytes behind the last tensor", data_.size() - end), "none");
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::string_view SafetensorsFile::place(const std::string& name,
                                        const std::map<std::string, std::uint64_t>& widths) const {
  const Entry& entry = entries_.at(name);
  const auto width = widths.find(entry.type);
  if (width == widths.end()) {
    std::vector<std::string> types;
    for (const auto& [type, bytes] : widths) types.push_back(type);
    fail(name, "found type " + shown(entry.type), fmt::format("{}", fmt::join(types, ", ")));
  }
  std::uint64_t bytes = width->second;
  for (const std::int64_t extent : entry.shape) {
    if (bytes != 0 && std::uint64_t(extent) > data_.size() / bytes)
      fail(name, fmt::format("found shape [{}]", fmt::join(entry.shape, ",")), "one that fits into the file");
    bytes *= std::uint64_t(extent);
  }
  if (entry.last - entry.first != bytes)
    fail(name, fmt::format("found {} bytes", entry.last - entry.first), fmt::format("{}", bytes));
  return data_.substr(entry.first, bytes);
}

void SafetensorsFile::expect_shape(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const Entry& entry = entries_.at(name);
  if (entry.shape != shape)
    fail(name, fmt::format("found shape [{}]", fmt::join(entry.shape, ",")),
         fmt::format("[{}]", fmt::join(shape, ",")));
}

StoredNumbers SafetensorsFile::list(const std::string& name) const {
  std::map<std::string, std::uint64_t> widths;
  for (const NumberRow& row : number_rows)
    if (row.elements == 1) widths[row.name] = std::uint64_t(row.bytes);
  const std::string_view bytes = place(name, widths);
  const auto row = std::find_if(number_rows.begin(), number_rows.end(),
                                [&](const NumberRow& r) { return entries_.at(name).type == r.name; });
  return {row->type, bytes};
}

StoredNumbers SafetensorsFile::numbers(const std::string& name,
                                       const std::vector<std::int64_t>& shape) const {
  expect_shape(name, shape);
  return list(name);
}

std::vector<std::int64_t> SafetensorsFile::read_integers(const std::string& name,
                                                         const std::vector<std::int64_t>& shape) const {
  expect_shape(name, shape);
  const std::string_view from = place(name, {{"I64", 8}, {"I32", 4}});
  std::size_t size = 1;
  for (const std::int64_t extent : shape) size *= std::size_t(extent);
  std::vector<std::int64_t> values(size);
  if (entries_.at(name).type == "I64")
    widen<std::int64_t>(from, values);
  else
    widen<std::int32_t>(from, values);
  return values;
}

std::string_view SafetensorsFile::bytes(const std::string& name,
                                        const std::vector<std::int64_t>& shape) const {
  expect_shape(name, shape);
  return place(name, {{"U8", 1}});
}

void SafetensorsFile::fail(const std::string& name, const std::string& found,
                           const std::string& expected) const {
  const std::string where = name.empty() ? "" : " " + shown(name) + ":";
  throw InputError(fmt::format("{}:{} {}, expected {}", path_, where, found, expected));
}

}  // namespace wafermark::llama
