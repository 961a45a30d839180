#include "sparse_llama/model/checkpoint_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "common/errors.hpp"
#include "sparse_llama/model/llama2c_reader.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) throw InputError(fmt::format("{}: cannot be read", path));
  return text;
}

/// A key of config.json that must be a number in the given range.
template <class T>
T number(const std::string& path, const json& config, const char* key, std::optional<T> fallback, double low,
         double high) {
  if (!config.contains(key) || config.at(key).is_null()) {
    if (fallback) return *fallback;
    throw InputError(fmt::format("{}: found no '{}', expected a number", path, key));
  }
  const json& value = config.at(key);
  const bool right = std::is_integral_v<T> ? value.is_number_integer() : value.is_number();
  if (!right || !(value.get<double>() >= low && value.get<double>() <= high))
    throw InputError(fmt::format("{}: {} = {}: expected {} from {:g} to {:g}", path, key, value.dump(),
                                 std::is_integral_v<T> ? "an integer" : "a number", low, high));
  return value.get<T>();
}

Configuration read_configuration(const std::string& path) {
  const json config = json::parse(read_file(path), nullptr, false);
  if (!config.is_object())
    throw InputError(fmt::format("{}: found no JSON object, expected a model's config", path));
  if (config.value("model_type", json("llama")) != "llama")
    throw InputError(
        fmt::format("{}: model_type = {}: expected \"llama\"", path, config.at("model_type").dump()));
  const auto size = [&](const char* key, std::optional<std::int64_t> fallback = std::nullopt) {
    return number<std::int64_t>(path, config, key, fallback, 1, 1 << 24);
  };
  Configuration c;
  c.dim = size("hidden_size");
  c.layers = size("num_hidden_layers");
  c.heads = size("num_attention_heads");
  c.kv_heads = size("num_key_value_heads", c.heads);
  c.head_dim = size("head_dim", std::max<std::int64_t>(1, c.dim / c.heads));
  c.hidden = size("intermediate_size");
  c.vocabulary = size("vocab_size");
  c.context = size("max_position_embeddings", 2048);
  c.norm_epsilon = number<double>(path, config, "rms_norm_eps", 1e-6, 0, 1);
  c.rope_theta = number<double>(path, config, "rope_theta", 10000.0, 1, 1e12);
  c.tied_embeddings = config.value("tie_word_embeddings", json(false)) == true;
  if (c.heads % c.kv_heads != 0 || c.head_dim % 2 != 0)
    throw InputError(
        fmt::format("{}: found {} heads of {} over {} key/value heads, expected a multiple and an even size",
                    path, c.heads, c.head_dim, c.kv_heads));
  if (config.contains("rope_scaling") && !config.at("rope_scaling").is_null()) {
    const json& scaling = config.at("rope_scaling");
    if (!scaling.is_object() || scaling.value("rope_type", scaling.value("type", json())) != "llama3")
      throw InputError(
          fmt::format("{}: rope_scaling = {}: expected null or type llama3", path, scaling.dump()));
    c.rope_scaling.factor = number<double>(path, scaling, "factor", std::nullopt, 1, 1e6);
    c.rope_scaling.low_frequency_factor = number<double>(path, scaling, "low_freq_factor", 1.0, 0, 1e6);
    c.rope_scaling.high_frequency_factor = number<double>(path, scaling, "high_freq_factor", 4.0, 0, 1e6);
    c.rope_scaling.original_context =
        number<std::int64_t>(path, scaling, "original_max_position_embeddings", 8192, 1, 1 << 24);
  }
  return c;
}

float half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float magnitude = exponent == 0    ? std::ldexp(float(fraction), -24)
                          : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                           : std::ldexp(float(fraction + 1024), exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// The tensors of one safetensors file, looked up by name.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path) : path_(path), bytes_(read_file(path)) {
    std::uint64_t length = 0;
    if (bytes_.size() < sizeof length) fail("", fmt::format("found {} bytes", bytes_.size()), "a header");
    std::memcpy(&length, bytes_.data(), sizeof length);
    if (length > bytes_.size() - sizeof length)
      fail("", fmt::format("found a header of {} bytes in a file of {}", length, bytes_.size()),
           "a whole file");
    header_ = json::parse(bytes_.begin() + 8, bytes_.begin() + 8 + std::ptrdiff_t(length), nullptr, false);
    if (!header_.is_object()) fail("", "found a header that is not JSON", "an object");
    data_ = bytes_.data() + 8 + length;
    size_ = bytes_.size() - 8 - length;
    check_ranges();
  }

  bool has(const std::string& name) const { return ranges_.contains(name); }

  /// The tensor's values, once its shape, type and size are known to be right.
  std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const json& entry = header_.at(name);
    const json dtype = entry.value("dtype", json());
    if (entry.value("shape", json()) != json(shape))
      fail(name, "found shape " + entry.value("shape", json()).dump(),
           fmt::format("[{}]", fmt::join(shape, ",")));
    const bool bf16 = dtype == "BF16";
    const std::size_t width = dtype == "F32" ? 4 : dtype == "F16" || bf16 ? 2 : 0;
    if (width == 0) fail(name, "found type " + dtype.dump(), "F32, F16 or BF16");
    std::uint64_t size = 1;  // no overflow: each extent is at most 2^24, and there are at most two
    for (const std::int64_t extent : shape) size *= std::uint64_t(extent);
    const auto [first, last] = ranges_.at(name);
    if (last - first != size * width)
      fail(name, fmt::format("found {} bytes", last - first), fmt::format("{}", size * width));
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i) {
      const char* at = data_ + first + i * width;
      if (width == 4) {
        std::memcpy(&values[i], at, 4);
      } else {
        std::uint16_t narrow = 0;
        std::memcpy(&narrow, at, 2);
        values[i] = bf16 ? std::bit_cast<float>(std::uint32_t(narrow) << 16) : half(narrow);
      }
      if (!std::isfinite(values[i]))
        fail(name, fmt::format("found {} as element {}", values[i], i), "a number");
    }
    return values;
  }

 private:
  void check_ranges() {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted;
    for (const auto& [name, entry] : header_.items()) {
      if (name == "__metadata__") continue;
      const json offsets = entry.is_object() ? entry.value("data_offsets", json()) : json();
      const bool pair = offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                        offsets[1].is_number_unsigned();
      if (!pair) fail(name, "found data_offsets " + offsets.dump(), "two numbers");
      const std::uint64_t first = offsets[0], last = offsets[1];
      if (first > last || last > size_)
        fail(name, "found data_offsets " + offsets.dump(), fmt::format("at most {}", size_));
      ranges_[name] = {first, last};
      sorted.emplace_back(first, last);
    }
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 1; i < sorted.size(); ++i)
      if (sorted[i].first < sorted[i - 1].second)
        fail("", "found tensors that overlap", "each in its own place");
  }
  [[noreturn]] void fail(const std::string& name, const std::string& found,
                         const std::string& expected) const {
    throw InputError(
        fmt::format("{}:{} {}, expected {}", path_, name.empty() ? "" : " " + name + ":", found, expected));
  }

  std::string path_, bytes_;
  json header_;
  const char* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> ranges_;
};

}  // namespace

DenseWeights read_checkpoint(const std::string& path) {
  if (path.ends_with(".bin")) return read_llama2c(path);
  if (!std::filesystem::is_directory(path))
    throw InputError(
        fmt::format("{}: found no folder, expected a Hugging Face folder or a llama2.c file *.bin", path));
  return read_checkpoint_folder(path);
}

DenseWeights read_checkpoint_folder(const std::string& folder) {
  const Configuration c = read_configuration(folder + "/config.json");
  std::vector<SafetensorsFile> files;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  files.reserve(paths.size());
  for (const auto& path : paths) files.emplace_back(path);
  const auto read = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    const auto file = std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.has(name); });
    if (file == files.end())
      throw InputError(fmt::format("{}: found no tensor {}, expected one", folder, name));
    return file->read(name, shape);
  };
  DenseWeights w = weights_without_values(c);
  each_tensor(w, [&](const std::string& name, auto& tensor) {
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>)
      tensor.values = read(name, {tensor.rows, tensor.columns});
    else
      tensor = read(name, {c.dim});
  });
  return w;
}

}  // namespace wafermark::llama
