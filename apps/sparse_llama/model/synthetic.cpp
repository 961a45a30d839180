#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "common/errors.hpp"
#include "common/runtime.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {
namespace {

/// dim, layers, heads, kv_heads, head_dim, hidden, vocabulary, context, epsilon, theta; tied embeddings.
struct Published {
  const char* name;
  Configuration configuration;
};

/// From the models' config.json on Hugging Face.
const std::vector<Published>& published() {
  static const std::vector<Published> models = [] {
    const auto make = [](std::int64_t dim, std::int64_t layers, std::int64_t heads, std::int64_t kv,
                         std::int64_t head_dim, std::int64_t hidden, std::int64_t vocabulary,
                         std::int64_t context, double theta, bool tied = false, double factor = 1) {
      Configuration c{dim, layers, heads, kv, head_dim, hidden, vocabulary, context, 1e-5, theta, {}, tied};
      c.rope_scaling.factor = factor;
      return c;
    };
    const auto other = [](Architecture architecture, Configuration c, double epsilon,
                          std::int64_t window = 0) {
      c.architecture = architecture;
      c.norm_epsilon = epsilon;
      c.sliding_window = window;
      return c;
    };
    return std::vector<Published>{
        {"tinyllama-1.1b", make(2048, 22, 32, 4, 64, 5632, 32000, 2048, 1e4)},
        {"llama2-7b", make(4096, 32, 32, 32, 128, 11008, 32000, 4096, 1e4)},
        {"llama2-13b", make(5120, 40, 40, 40, 128, 13824, 32000, 4096, 1e4)},
        {"llama2-70b", make(8192, 80, 64, 8, 128, 28672, 32000, 4096, 1e4)},
        {"llama3-8b", make(4096, 32, 32, 8, 128, 14336, 128256, 8192, 5e5)},
        {"llama3-70b", make(8192, 80, 64, 8, 128, 28672, 128256, 8192, 5e5)},
        {"llama3.2-1b", make(2048, 16, 32, 8, 64, 8192, 128256, 131072, 5e5, true, 32)},
        {"llama3.2-3b", make(3072, 28, 24, 8, 128, 8192, 128256, 131072, 5e5, true, 32)},
        {"mistral-7b",
         other(Architecture::mistral, make(4096, 32, 32, 8, 128, 14336, 32000, 32768, 1e4), 1e-5, 4096)},
        {"qwen2.5-7b",
         other(Architecture::qwen2, make(3584, 28, 28, 4, 128, 18944, 152064, 131072, 1e6), 1e-6)},
        {"qwen3-8b", other(Architecture::qwen3, make(4096, 36, 32, 8, 128, 12288, 151936, 40960, 1e6), 1e-6)},
    };
  }();
  return models;
}

/// SplitMix64 (Steele, Lea and Flood 2014): a word that looks random, of each number.
std::uint64_t scrambled(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/// The sum of four 16-bit parts of a word, to mean 0 and standard deviation 1: normal enough for timing.
float deviate(std::uint64_t word) {
  const auto part = [&](int k) { return std::int32_t(word >> (16 * k) & 0xffff); };
  return float(part(0) + part(1) + part(2) + part(3) - 2 * 65535) * (1.0f / 37837.0f);
}

double number(const std::string& specification, const std::string& key, const std::string& text, double low,
              double high) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high))
    throw InputError(fmt::format("--synthetic {}: {} = '{}': expected a number from {:g} to {:g}",
                                 specification, key, text, low, high));
  return value;
}

}  // namespace

Configuration published_configuration(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& model : published()) {
    if (name == model.name) return model.configuration;
    names.push_back(model.name);
  }
  throw InputError(fmt::format("--synthetic: found model '{}', expected {}", name, fmt::join(names, ", ")));
}

WeightSource synthetic_source(const std::string& specification) {
  const std::size_t colon = specification.find(':');
  WeightSource source;
  source.name = specification;
  Configuration& c = source.configuration = published_configuration(specification.substr(0, colon));
  double sparsity = 0;
  std::uint64_t seed = 1;
  bool two_four = false, hollow = false;
  std::set<std::string> keys;
  std::string rest = colon == std::string::npos ? "" : specification.substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string word = rest.substr(0, comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (!keys.insert(key).second)
      throw InputError(
          fmt::format("--synthetic {}: found {} twice, expected each key once", specification, key));
    const auto within = [&](double low, double high) { return number(specification, key, value, low, high); };
    const auto whole = [&](double low, double high) {
      const double found = within(low, high);
      if (found != std::floor(found))
        throw InputError(
            fmt::format("--synthetic {}: {} = '{}': expected a whole number", specification, key, value));
      return std::int64_t(found);
    };
    if (key == "sparsity")
      sparsity = within(0, 1);
    else if (key == "seed")
      seed = std::uint64_t(whole(0, 1e15));
    else if (key == "layers")
      c.layers = whole(1, double(c.layers));
    else if (key == "context")
      c.context = whole(1, 1 << 20);
    else if (key == "two_four")
      two_four = whole(0, 1) != 0;
    else if (key == "hollow" && runtime::charges_kernels())
      hollow = whole(0, 1) != 0;
    else if (key == "hollow")
      throw InputError(
          fmt::format("--synthetic {}: found hollow weights, expected them on simulated clusters only "
                      "(jobscripts/cluster_sim.sh)",
                      specification));
    else
      throw InputError(
          fmt::format("--synthetic {}: found '{}', expected sparsity=, seed=, layers=, context= or two_four=",
                      specification, word));
  }
  const auto kept = std::uint64_t(std::llround((1 - sparsity) * 65536));
  source.row = [=](Matrix matrix, std::int64_t layer, std::int64_t row, std::int64_t first,
                   std::int64_t count, float* out) {
    const std::uint64_t key = scrambled(scrambled(seed * 1024 + std::uint64_t(matrix)) +
                                        std::uint64_t(layer) * 0x100000000u + std::uint64_t(row));
    const bool dense = matrix == Matrix::embedding || matrix == Matrix::head;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint64_t word = scrambled(key + std::uint64_t(first + i));
      const bool stored = dense || (two_four ? ((first + i) ^ row) % 4 < 2 : scrambled(word) % 65536 < kept);
      out[i] = stored ? 0.02f * deviate(word) : 0.0f;
    }
  };
  if (hollow) source.hollow = two_four ? 0.5 : double(kept) / 65536;
  source.vector = [c, seed](Vector vector, std::int64_t layer) {
    std::vector<float> values(std::size_t(length_of(c, vector)), 1.0f);
    const bool bias = vector >= Vector::query_bias && vector <= Vector::value_bias;
    const std::uint64_t key =
        scrambled(scrambled(seed * 1024 + 512 + std::uint64_t(vector)) + std::uint64_t(layer));
    for (std::size_t i = 0; bias && i < values.size(); ++i) values[i] = 0.02f * deviate(scrambled(key + i));
    return values;
  };
  return source;
}

}  // namespace wafermark::llama
