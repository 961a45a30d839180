#include "sparse_llama/model/gguf_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/errors.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/gguf_file.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/rope_table.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

/// Of query and key: rows that RoPE turns together stand side by side (Qwen's stay in halves).
bool keeps_pairs(Architecture a) { return a == Architecture::llama || a == Architecture::mistral; }

constexpr const char* rope_factors = "rope_freqs.weight";

std::string name_in_gguf(Matrix matrix, std::int64_t layer) {
  if (matrix == Matrix::embedding) return "token_embd.weight";
  if (matrix == Matrix::head) return "output.weight";
  constexpr const char* names[] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                   "ffn_gate", "ffn_up", "ffn_down"};
  return fmt::format("blk.{}.{}.weight", layer, names[int(matrix) - int(Matrix::query)]);
}
std::string name_in_gguf(Vector vector, std::int64_t layer) {
  constexpr const char* names[] = {"attn_norm.weight",  "ffn_norm.weight", "attn_q.bias",
                                   "attn_k.bias",       "attn_v.bias",     "attn_q_norm.weight",
                                   "attn_k_norm.weight"};
  if (vector == Vector::final_norm) return "output_norm.weight";
  return fmt::format("blk.{}.{}", layer, names[int(vector)]);
}

/// The keys "llama.*" of a file, or those of its other architecture.
class ModelKeys {
 public:
  ModelKeys(const GgufFile& file, const ArchitectureRow& row) : file_(file), type_(row.model_type) {}

  nlohmann::json at(const std::string& key) const { return file_.value(type_ + "." + key); }
  double number(const std::string& key, std::optional<double> fallback, double low, double high) const {
    const nlohmann::json found = at(key);
    if (found.is_null() && fallback) return *fallback;
    const double value = found.is_number() ? found.get<double>() : NAN;
    if (!(value >= low && value <= high)) fail(key, fmt::format("a number from {:g} to {:g}", low, high));
    return value;
  }
  std::int64_t size(const std::string& key, std::optional<std::int64_t> fallback = std::nullopt) const {
    const auto usual = fallback ? std::optional(double(*fallback)) : std::nullopt;
    const double value = number(key, usual, 1, double(largest_extent));
    if (value != std::floor(value)) fail(key, "a whole number");
    return std::int64_t(value);
  }
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const {
    throw InputError(
        fmt::format("{}: {}.{} = {}: expected {}", file_.path(), type_, key, shown(at(key)), expected));
  }

 private:
  const GgufFile& file_;
  std::string type_;
};

void read_rope(const GgufFile& file, const ModelKeys& keys, Configuration& c) {
  c.rope_theta = keys.number("rope.freq_base", 1e4, 1e-3, 1e12);
  if (keys.size("rope.dimension_count", c.head_dim) != c.head_dim)
    keys.fail("rope.dimension_count", fmt::format("{}, the size of a head", c.head_dim));
  const nlohmann::json type = keys.at("rope.scaling.type");
  if (type == "linear") {
    c.rope_scaling = {.factor = keys.number("rope.scaling.factor", std::nullopt, 1e-3, 1e6), .linear = true};
  } else if (!type.is_null() && type != "none") {
    keys.fail("rope.scaling.type", "\"none\" or \"linear\"");
  }
  if (!file.has(rope_factors)) return;
  // What frequencies are divided by, made by Llama 3.1's rule with the numbers of its publication.
  const std::int64_t half = c.head_dim / 2;
  const auto factors =
      read_vector(file.numbers(rope_factors, {half}), half, fmt::format("{}: {}", file.path(), rope_factors));
  const std::vector<double> plain = rope_frequencies(c);
  const double factor = *std::max_element(factors.begin(), factors.end());
  if (factor > 1 && !c.rope_scaling.linear) c.rope_scaling = {.factor = factor};
  const std::vector<double> scaled = rope_frequencies(c);
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (!(std::abs(plain[i] / scaled[i] - double(factors[i])) <= 1e-3 * double(factors[i])))
      throw InputError(
          fmt::format("{}: {}: found {} as element {}, expected {:.4g}, by the rule of Llama 3.1 for "
                      "a factor of {:.4g}",
                      file.path(), rope_factors, factors[i], i, plain[i] / scaled[i], factor));
}

/// Mistral's files are of the kind llama.
Architecture read_architecture(const GgufFile& file) {
  const nlohmann::json kind = file.value("general.architecture");
  for (const Architecture a : {Architecture::llama, Architecture::qwen2, Architecture::qwen3})
    if (kind == row_of(a).model_type) return a;
  throw InputError(
      fmt::format("{}: general.architecture = {}: expected llama, qwen2 or qwen3", file.path(), shown(kind)));
}

void read_window(const ModelKeys& keys, Configuration& c) {
  if (keys.at("attention.sliding_window").is_null()) return;
  if (c.architecture != Architecture::llama)
    keys.fail("attention.sliding_window", "none (windows in some layers only are not supported)");
  c.sliding_window = keys.size("attention.sliding_window");
  c.architecture = Architecture::mistral;
}

Configuration read_keys(const GgufFile& file) {
  Configuration c;
  c.architecture = read_architecture(file);
  const ModelKeys keys(file, row_of(c.architecture));
  c.dim = keys.size("embedding_length");
  c.layers = std::int64_t(keys.number("block_count", std::nullopt, 1, most_layers));
  c.heads = keys.size("attention.head_count");
  c.kv_heads = keys.size("attention.head_count_kv", c.heads);
  if (keys.at("attention.key_length").is_null() && c.dim % c.heads != 0)
    keys.fail("embedding_length", fmt::format("a multiple of the {} heads", c.heads));
  c.head_dim = keys.size("attention.key_length", c.dim / c.heads);
  read_window(keys, c);
  if (keys.size("attention.value_length", c.head_dim) != c.head_dim)
    keys.fail("attention.value_length", fmt::format("{}, that of keys", c.head_dim));
  c.hidden = keys.size("feed_forward_length");
  c.context = keys.size("context_length");
  c.norm_epsilon = keys.number("attention.layer_norm_rms_epsilon", std::nullopt, 0, 1);
  if (keys.number("expert_count", 0, 0, 1e6) != 0) keys.fail("expert_count", "none (no mixture of experts)");
  const std::string table = name_in_gguf(Matrix::embedding, 0);
  if (!file.has(table) || file.shape(table).size() != 2)
    throw InputError(fmt::format("{}: found no matrix {}, expected one", file.path(), table));
  c.vocabulary = file.shape(table)[0];
  c.tied_embeddings = !file.has(name_in_gguf(Matrix::head, 0));
  expect_sane(c, file.path());
  read_rope(file, keys, c);
  return c;
}

}  // namespace

FileModel open_gguf(const std::string& path) {
  const auto file = std::make_shared<const GgufFile>(path);
  FileModel model;
  model.name = path;
  const Configuration c = model.configuration = read_keys(*file);
  model.files.push_back(file);
  model.bf16 = true;
  std::set<std::string> unknown;
  for (const std::string& name : file->names()) unknown.insert(name);
  unknown.erase(rope_factors);
  each_place(c, [&](auto part, std::int64_t layer) {
    const std::string name = name_in_gguf(part, layer), where = fmt::format("{}: \"{}\"", path, name);
    unknown.erase(name);
    if constexpr (std::is_same_v<decltype(part), Vector>) {
      const std::int64_t length = length_of(c, part);
      model.vectors[{part, layer}] =
          read_vector(file->numbers(name, std::vector<std::int64_t>(1, length)), length, where);
    } else {
      const auto [rows, columns] = shape_of(c, part);
      const std::vector<std::int64_t> shape{rows, columns};
      const StoredNumbers numbers = file->numbers(name, shape);
      model.bf16 = model.bf16 && numbers.type == NumberType::bf16;
      FileModel::Part& stored = model.matrices[{part, layer}];
      stored.matrix = std::make_unique<WholeMatrix>(where, rows, columns, numbers);
      const bool rotated = part == Matrix::query || part == Matrix::key;
      if (rotated && keeps_pairs(c.architecture)) stored.paired_head = c.head_dim;
    }
  });
  if (!unknown.empty())
    throw InputError(fmt::format("{}: found a tensor {}, expected those of a {} model of {} layers", path,
                                 shown(*unknown.begin()), row_of(c.architecture).model_type, c.layers));
  return model;
}

}  // namespace wafermark::llama
