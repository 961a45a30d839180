#include "sparse_llama/model/safetensors_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

/// The bits of the magnitude, moved to where fp32 has them, mean 2^-112 of it: also for subnormal numbers.
float from_half(std::uint16_t bits) {
  const float magnitude = std::bit_cast<float>((bits & 0x7fffu) << 13) * 0x1p112f;
  const bool finite = (bits & 0x7c00) != 0x7c00;
  return std::copysign(finite                ? magnitude
                       : (bits & 0x3ff) == 0 ? INFINITY
                                             : NAN,
                       bits & 0x8000 ? -1.0f : 1.0f);
}

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

/// Little-endian elements of type Stored, which may lie at any address, as fp32.
template <class Stored, class Convert>
void convert(const char* from, std::vector<float>& to, const Convert& value_of) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, from + i * sizeof stored, sizeof stored);
    to[i] = value_of(stored);
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path), file_(path) {
  constexpr std::uint64_t longest_header = 100'000'000;  // the format's own limit
  const std::string_view bytes = file_.bytes();
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) fail("", fmt::format("found {} bytes", bytes.size()), "a header");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - sizeof length)
    fail("", fmt::format("found a header of {} bytes in a file of {}", length, bytes.size()), "a whole file");
  if (length > longest_header)
    fail("", fmt::format("found a header of {} bytes", length), fmt::format("at most {}", longest_header));
  const json header = parse_json(bytes.substr(sizeof length, length), path);
  if (!header.is_object()) fail("", "found a header that is not an object", "an object");
  data_ = bytes.substr(sizeof length + length);

  std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    const auto part = [&](const char* key) {
      return tensor.is_object() ? tensor.value(key, json()) : json();
    };
    const json offsets = part("data_offsets");
    const bool pair = offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                      offsets[1].is_number_unsigned();
    if (!pair) fail(name, "found data_offsets " + shown(offsets), "two numbers");
    const Entry entry{shown(part("dtype")), shown(part("shape")), offsets[0], offsets[1]};
    if (entry.first > entry.last || entry.last > data_.size())
      fail(name, "found data_offsets " + shown(offsets), fmt::format("at most {}", data_.size()));
    sorted.emplace_back(entry.first, entry.last);
    entries_[name] = entry;
  }
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i].first < sorted[i - 1].second)
      fail("", "found tensors that overlap", "each in its own place");
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::vector<float> SafetensorsFile::read(const std::string& name,
                                         const std::vector<std::int64_t>& shape) const {
  const Entry& entry = entries_.at(name);
  const std::string expected = fmt::format("[{}]", fmt::join(shape, ","));
  if (entry.shape != expected) fail(name, "found shape " + entry.shape, expected);
  const bool narrow = entry.type == "\"BF16\"" || entry.type == "\"F16\"";
  if (!narrow && entry.type != "\"F32\"") fail(name, "found type " + entry.type, "F32, F16 or BF16");
  std::uint64_t size = 1;  // no overflow: at most two extents, each at most 2^24
  for (const std::int64_t extent : shape) size *= std::uint64_t(extent);
  if (entry.last - entry.first != size * (narrow ? 2 : 4))
    fail(name, fmt::format("found {} bytes", entry.last - entry.first),
         fmt::format("{}", size * (narrow ? 2 : 4)));
  std::vector<float> values(size);
  const char* from = data_.data() + entry.first;
  if (!narrow)
    std::memcpy(values.data(), from, size * sizeof(float));
  else if (entry.type == "\"F16\"")
    convert<std::uint16_t>(from, values, from_half);
  else
    convert<std::uint16_t>(from, values, from_bf16);
  const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != values.end())
    fail(name, fmt::format("found {} as element {}", *bad, bad - values.begin()), "a number");
  return values;
}

void SafetensorsFile::fail(const std::string& name, const std::string& found,
                           const std::string& expected) const {
  const std::string where = name.empty() ? "" : " " + shown(name) + ":";
  throw InputError(fmt::format("{}:{} {}, expected {}", path_, where, found, expected));
}

}  // namespace wafermark::llama
