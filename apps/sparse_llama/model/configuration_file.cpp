#include "sparse_llama/model/configuration_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <type_traits>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "common/number_range.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

/// One object of the file. `prefix` is what its keys are called in messages: "" or "rope_scaling.".
class Keys {
 public:
  Keys(const std::string& file, const json& object, std::string prefix = "")
      : file_(file), object_(object), prefix_(std::move(prefix)) {}

  /// The value, or null where there is none.
  const json& at(const char* key) const {
    static const json null;
    const auto found = object_.find(key);
    return found == object_.end() ? null : *found;
  }

  bool has(const char* key) const { return object_.contains(key); }

  template <class T>
  T number(const char* key, std::optional<T> fallback, double low, double high) const {
    const json& value = at(key);
    if (value.is_null()) {
      if (fallback) return *fallback;
      throw InputError(fmt::format("{}: found no '{}{}', expected a number", file_, prefix_, key));
    }
    const bool right = std::is_integral_v<T> ? value.is_number_integer() : value.is_number();
    if (!right || !(value.get<double>() >= low && value.get<double>() <= high))
      fail(key, Range{low, high}.text(std::is_integral_v<T> ? "an integer" : "a number"));
    return value.get<T>();
  }

  bool flag(const char* key) const {
    const json& value = at(key);
    if (!value.is_null() && !value.is_boolean()) fail(key, "true or false");
    return value == true;
  }

  [[noreturn]] void fail(const char* key, const std::string& expected) const {
    throw InputError(
        fmt::format("{}: {}{} = {}: expected {}", file_, prefix_, key, shown(at(key)), expected));
  }

 private:
  const std::string& file_;
  const json& object_;
  std::string prefix_;
};

/// The scaling that the object under `key` asks for, if it is there.
std::optional<RopeScaling> read_rope_scaling(const std::string& file, const Keys& config, const char* key) {
  const json& object = config.at(key);
  if (object.is_null()) return std::nullopt;
  if (!object.is_object()) config.fail(key, "null or an object");
  const Keys keys(file, object, fmt::format("{}.", key));
  const char* type_key = object.contains("rope_type") ? "rope_type" : "type";
  const json& type = keys.at(type_key);
  RopeScaling s;
  if (keys.number<double>("partial_rotary_factor", 1.0, 0, 1) != 1)
    keys.fail("partial_rotary_factor", "1 (whole heads are rotated)");
  if (type == "default" || (type.is_null() && std::string_view(key) == "rope_parameters")) return s;
  if (type != "linear" && type != "llama3") keys.fail(type_key, "default, linear or llama3");
  s.factor = keys.number<double>("factor", std::nullopt, 1, 1e6);
  s.linear = type == "linear";
  if (s.linear || s.factor == 1) return s.factor == 1 ? RopeScaling{} : s;
  s.low_frequency_factor = keys.number<double>("low_freq_factor", 1.0, 1e-6, 1e6);
  s.high_frequency_factor = keys.number<double>("high_freq_factor", 4.0, 1e-6, 1e6);
  s.original_context =
      keys.number<std::int64_t>("original_max_position_embeddings", 8192, 1, double(largest_extent));
  if (s.high_frequency_factor <= s.low_frequency_factor)
    keys.fail("high_freq_factor", fmt::format("more than low_freq_factor {}", s.low_frequency_factor));
  return s;
}

void read_rope(const std::string& file, const Keys& config, Configuration& c) {
  if (config.number<double>("partial_rotary_factor", 1.0, 0, 1) != 1)
    config.fail("partial_rotary_factor", "1 (whole heads are rotated)");
  c.rope_theta = config.number<double>("rope_theta", 10000.0, 1, 1e12);
  const json& parameters = config.at("rope_parameters");
  if (parameters.is_object())
    c.rope_theta =
        Keys(file, parameters, "rope_parameters.").number<double>("rope_theta", c.rope_theta, 1, 1e12);
  const auto newer = read_rope_scaling(file, config, "rope_parameters");
  const auto older = read_rope_scaling(file, config, "rope_scaling");
  if (newer && older && !(*newer == *older))
    config.fail("rope_scaling", fmt::format("the same as rope_parameters {}", shown(parameters)));
  c.rope_scaling = newer ? *newer : older.value_or(RopeScaling{});
}

/// By "model_type"; "architectures" names the same, with an output head.
Architecture read_architecture(const Keys& keys) {
  const json &type = keys.at("model_type"), &names = keys.at("architectures");
  const auto is_named = [&](const ArchitectureRow& row) {
    return names.is_array() && std::find(names.begin(), names.end(), row.class_name) != names.end();
  };
  const bool nameless = names.is_null() || (names.is_array() && names.empty());
  std::string types, classes;
  for (std::size_t i = 0; i < architecture_rows.size(); ++i) {
    const ArchitectureRow& row = architecture_rows[i];
    const bool usual = type.is_null() && nameless && i == 0;
    if (usual || type == row.model_type || (type.is_null() && is_named(row))) {
      if (!nameless && !is_named(row)) keys.fail("architectures", row.class_name);
      return Architecture(i);
    }
    types += fmt::format("{}{}", i > 0 ? ", " : "", row.model_type);
    classes += fmt::format("{}{}", i > 0 ? ", " : "", row.class_name);
  }
  if (type.is_null()) keys.fail("architectures", "one of " + classes);
  keys.fail("model_type", "one of " + types);
}

/// The window of all layers, or 0. One that holds in some layers only is refused.
std::int64_t read_window(const Keys& keys, const ArchitectureRow& row, std::int64_t layers) {
  const json& types = keys.at("layer_types");
  const auto is_full = [](const json& type) { return type == "full_attention"; };
  if (!types.is_null() && (!types.is_array() || std::int64_t(types.size()) != layers ||
                           !std::all_of(types.begin(), types.end(), is_full)))
    keys.fail("layer_types", "\"full_attention\" for each layer");
  if (row.window_in_all_layers)
    return keys.has("sliding_window")
               ? keys.number<std::int64_t>("sliding_window", 0, 1, double(largest_extent))
               : row.usual_window;
  if (keys.flag("use_sliding_window"))
    keys.fail("use_sliding_window", "false (windows in some layers only are not supported)");
  if (row.model_type == std::string_view("llama") && !keys.at("sliding_window").is_null())
    keys.fail("sliding_window", "null (attention to all earlier tokens)");
  return 0;
}

/// Weights without zeros are read; quantised ones are refused by the name of their method.
void expect_plain_numbers(const std::string& file, const Keys& keys) {
  for (const char* key : {"quantization_config", "compression_config"}) {
    const json& config = keys.at(key);
    if (config.is_null()) continue;
    const Keys compression(file, config, fmt::format("{}.", key));
    if (!config.is_object()) keys.fail(key, "null or an object");
    const json& method = compression.at("quant_method");
    if (!method.is_null() && method != "compressed-tensors")
      compression.fail("quant_method",
                       "weights as plain numbers, or compressed-tensors without quantisation");
    const json &format = compression.at("format"), &groups = compression.at("config_groups"),
               &sparsity = compression.at("sparsity_config");
    if (!format.is_null() && format != "dense" && format != "sparse-bitmask" && format != "sparse-24-bitmask")
      compression.fail("format", "dense, sparse-bitmask or sparse-24-bitmask");
    if (groups.is_object() && !groups.empty())
      compression.fail("config_groups", "none (quantised weights are not read)");
    if (!sparsity.is_object()) continue;
    const Keys sparse(file, sparsity, fmt::format("{}.sparsity_config.", key));
    const json& layout = sparse.at("format");
    if (!layout.is_null() && layout != "dense" && layout != "sparse-bitmask" && layout != "sparse-24-bitmask")
      sparse.fail("format", "dense, sparse-bitmask or sparse-24-bitmask");
  }
}

}  // namespace

void expect_sane(const Configuration& c, const std::string& file) {
  const auto check = [&](const char* name, std::int64_t value, std::int64_t most) {
    if (value < 1 || value > most)
      throw InputError(fmt::format("{}: found {} {}, expected 1 to {}", file, name, value, most));
  };
  check("dim", c.dim, largest_extent);
  check("layers", c.layers, most_layers);
  check("heads", c.heads, largest_extent);
  check("key/value heads", c.kv_heads, largest_extent);
  check("head size", c.head_dim, largest_extent);
  check("heads times head size", c.query_dim(), largest_extent);
  check("hidden size", c.hidden, largest_extent);
  check("vocabulary", c.vocabulary, largest_extent);
  check("context", c.context, largest_extent);
  if (c.heads % c.kv_heads != 0 || c.head_dim % 2 != 0)
    throw InputError(
        fmt::format("{}: found {} heads of {} over {} key/value heads, expected a multiple and an even size",
                    file, c.heads, c.head_dim, c.kv_heads));
}

void expect_llama(const Configuration& c, const std::string& model, const std::string& what) {
  if (c.architecture != Architecture::llama)
    throw InputError(fmt::format("{}: found a model of type {}, expected llama: {} is not for others", model,
                                 row_of(c.architecture).model_type, what));
}

Configuration configuration_of(const json& config, const std::string& file) {
  if (!config.is_object())
    throw InputError(fmt::format("{}: found no JSON object, expected a model's config", file));
  const Keys keys(file, config);
  Configuration c;
  c.architecture = read_architecture(keys);
  const ArchitectureRow& row = row_of(c.architecture);
  if (!keys.at("hidden_act").is_null() && keys.at("hidden_act") != "silu")
    keys.fail("hidden_act", "\"silu\"");
  for (const char* bias : {"attention_bias", "mlp_bias"})
    if (keys.flag(bias)) keys.fail(bias, "false (such biases are not supported)");
  expect_plain_numbers(file, keys);
  const auto size = [&](const char* key, std::optional<std::int64_t> fallback = std::nullopt) {
    return keys.number<std::int64_t>(key, fallback, 1, double(largest_extent));
  };
  c.dim = size("hidden_size");
  c.layers = keys.number<std::int64_t>("num_hidden_layers", std::nullopt, 1, double(most_layers));
  c.heads = size("num_attention_heads");
  c.kv_heads = size("num_key_value_heads", c.heads);
  if (keys.at("head_dim").is_null() && row.usual_head_dim == 0 && c.dim % c.heads != 0)
    keys.fail("hidden_size", fmt::format("a multiple of the {} heads, or a head_dim", c.heads));
  c.head_dim = size("head_dim", row.usual_head_dim > 0 ? row.usual_head_dim : c.dim / c.heads);
  c.hidden = size("intermediate_size");
  c.vocabulary = size("vocab_size");
  c.context = size("max_position_embeddings", 2048);
  c.norm_epsilon = keys.number<double>("rms_norm_eps", 1e-6, 0, 1);
  c.tied_embeddings = keys.flag("tie_word_embeddings");
  c.sliding_window = read_window(keys, row, c.layers);
  read_rope(file, keys, c);
  expect_sane(c, file);
  return c;
}

Configuration read_configuration(const std::string& path) {
  return configuration_of(parse_json(MappedFile(path).bytes(), path), path);
}

json config_of(const Configuration& c, const std::string& folder, const std::string& stored_type) {
  json config = folder.empty()
                    ? json::object()
                    : read_object_if_there((std::filesystem::path(folder) / "config.json").string());
  for (const char* compression : {"quantization_config", "compression_config", "sparsity_config"})
    config.erase(compression);
  config.erase("rope_parameters");  // json_of says the same in rope_theta and rope_scaling
  config.erase("rope_scaling");
  config.update(json_of(c));
  if (!stored_type.empty()) {
    config.erase("dtype");  // what newer writers call torch_dtype
    config["torch_dtype"] = stored_type;
  }
  return config;
}

json json_of(const Configuration& c) {
  const ArchitectureRow& row = row_of(c.architecture);
  json config{{"architectures", {row.class_name}},
              {"model_type", row.model_type},
              {"hidden_act", "silu"},
              {"hidden_size", c.dim},
              {"num_hidden_layers", c.layers},
              {"num_attention_heads", c.heads},
              {"num_key_value_heads", c.kv_heads},
              {"head_dim", c.head_dim},
              {"intermediate_size", c.hidden},
              {"vocab_size", c.vocabulary},
              {"max_position_embeddings", c.context},
              {"rms_norm_eps", c.norm_epsilon},
              {"rope_theta", c.rope_theta},
              {"tie_word_embeddings", c.tied_embeddings}};
  if (row.window_in_all_layers)
    config["sliding_window"] = c.sliding_window > 0 ? json(c.sliding_window) : json();
  const RopeScaling& s = c.rope_scaling;
  if (s.factor != 1 && s.linear)
    config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", s.factor}};
  else if (s.factor != 1)
    config["rope_scaling"] = {{"rope_type", "llama3"},
                              {"factor", s.factor},
                              {"low_freq_factor", s.low_frequency_factor},
                              {"high_freq_factor", s.high_frequency_factor},
                              {"original_max_position_embeddings", s.original_context}};
  return config;
}

}  // namespace wafermark::llama
