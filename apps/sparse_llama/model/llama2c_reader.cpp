#include "sparse_llama/model/llama2c_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

struct Header {
  Configuration configuration;
  std::size_t bytes = 0;
  bool versioned = false;
};

Header read_header(const std::string& path, std::string_view file) {
  constexpr std::int32_t magic = 0x616b3432;  // "ak42"; no size in the first format can be as large
  constexpr std::size_t shapes = 7, first_bytes = shapes * 4, versioned_bytes = 256;
  std::array<std::int32_t, 2 + shapes> words{};
  file.copy(reinterpret_cast<char*>(words.data()), sizeof words);
  Header header;
  header.versioned = file.size() >= 4 && words[0] == magic;
  header.bytes = header.versioned ? versioned_bytes : first_bytes;
  if (file.size() < header.bytes)
    throw InputError(
        fmt::format("{}: found {} bytes, expected a header of {}", path, file.size(), header.bytes));
  if (header.versioned && words[1] != 1)
    throw InputError(fmt::format("{}: found version {}, expected 0 or 1 (fp32)", path, words[1]));
  const std::int32_t* shape = words.data() + (header.versioned ? 2 : 0);
  Configuration& c = header.configuration;
  c.dim = shape[0], c.hidden = shape[1], c.layers = shape[2], c.heads = shape[3], c.kv_heads = shape[4];
  c.vocabulary = shape[5], c.context = shape[6];
  c.norm_epsilon = 1e-5, c.rope_theta = 10000;
  if (header.versioned) {
    c.tied_embeddings = file[sizeof words] != 0;
  } else {  // the sign says whether the head is the embedding table
    c.tied_embeddings = c.vocabulary > 0;
    c.vocabulary = std::abs(c.vocabulary);
  }
  if (c.heads < 1 || c.dim < 1 || c.dim % c.heads != 0)
    throw InputError(
        fmt::format("{}: found dim {} over {} heads, expected a multiple", path, c.dim, c.heads));
  c.head_dim = c.dim / c.heads;
  expect_sane(c, path);
  return header;
}

/// From interleaved pairs (elements 2i and 2i + 1 of a head) to halves (i and i + head_dim / 2).
void permute_heads(DenseMatrix& m, std::int64_t head_dim) {
  std::vector<float> head(std::size_t(head_dim * m.columns));
  for (std::int64_t first = 0; first < m.rows; first += head_dim) {
    std::copy_n(m.row(first), head.size(), head.begin());
    for (std::int64_t i = 0; i < head_dim; ++i) {
      const std::int64_t from = i < head_dim / 2 ? 2 * i : 2 * (i - head_dim / 2) + 1;
      std::copy_n(head.begin() + from * m.columns, m.columns, m.row(first + i));
    }
  }
}

/// Takes tensors one after the other from the floats behind the header, whose number is known to be right.
class Floats {
 public:
  Floats(const std::string& path, const char* first) : path_(path), first_(first) {}

  void take(std::vector<float>& values, std::int64_t count, const char* name) {
    values.resize(std::size_t(count));
    std::memcpy(values.data(), first_ + taken_ * sizeof(float), values.size() * sizeof(float));
    const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad != values.end())
      throw InputError(fmt::format("{}: {}: found {} as element {}, expected a number", path_, name, *bad,
                                   bad - values.begin()));
    taken_ += values.size();
  }
  void take(DenseMatrix& m, const char* name) { take(m.values, m.rows * m.columns, name); }
  void skip(std::int64_t count) { taken_ += std::size_t(count); }

 private:
  const std::string& path_;
  const char* first_;
  std::size_t taken_ = 0;
};

void take_layers(Floats& floats, DenseWeights& w, DenseMatrix DenseLayer::*matrix, const char* name) {
  for (DenseLayer& layer : w.layers) floats.take(layer.*matrix, name);
}

void take_layers(Floats& floats, DenseWeights& w, std::vector<float> DenseLayer::*norm, const char* name) {
  for (DenseLayer& layer : w.layers) floats.take(layer.*norm, w.configuration.dim, name);
}

/// wq wk wv wo
void take_attention(Floats& floats, DenseWeights& w) {
  take_layers(floats, w, &DenseLayer::query, "wq");
  take_layers(floats, w, &DenseLayer::key, "wk");
  take_layers(floats, w, &DenseLayer::value, "wv");
  take_layers(floats, w, &DenseLayer::attention_output, "wo");
}

/// w1 w2 w3
void take_feed_forward(Floats& floats, DenseWeights& w) {
  take_layers(floats, w, &DenseLayer::gate, "w1");
  take_layers(floats, w, &DenseLayer::down, "w2");
  take_layers(floats, w, &DenseLayer::up, "w3");
}

/// cos and sin tables of RoPE, which the first format carries and nothing reads.
std::int64_t table_floats(const Header& h) {
  return h.versioned ? 0 : h.configuration.context * h.configuration.head_dim;
}

/// Floats that a file of this shape has behind the header. No overflow: extents are at most 2^24, layers at
/// most 2^12.
std::uint64_t expected_floats(const Header& h) {
  const Configuration& c = h.configuration;
  const auto product = [](std::int64_t a, std::int64_t b) { return std::uint64_t(a) * std::uint64_t(b); };
  const std::uint64_t layer = 2 * std::uint64_t(c.dim) + 2 * product(c.dim, c.query_dim()) +
                              2 * product(c.dim, c.kv_dim()) + 3 * product(c.dim, c.hidden);
  const std::uint64_t tables = product(c.dim, c.vocabulary) * (c.tied_embeddings ? 1 : 2);
  return std::uint64_t(c.layers) * layer + tables + std::uint64_t(c.dim) + std::uint64_t(table_floats(h));
}

}  // namespace

DenseWeights read_llama2c(const std::string& path) {
  const MappedFile file(path);
  const Header header = read_header(path, file.bytes());
  const Configuration& c = header.configuration;
  const std::uint64_t found = file.bytes().size() - header.bytes, floats_expected = expected_floats(header);
  if (found % sizeof(float) != 0 || found / sizeof(float) != floats_expected)
    throw InputError(
        fmt::format("{}: found {} bytes behind the header, expected {} floats for dim {}, hidden {}, {} "
                    "layers, {}/{} heads, "
                    "vocabulary {}, context {}",
                    path, found, floats_expected, c.dim, c.hidden, c.layers, c.heads, c.kv_heads,
                    c.vocabulary, c.context));
  DenseWeights w = weights_without_values(c);
  Floats floats(path, file.bytes().data() + header.bytes);
  if (header.versioned) {
    take_layers(floats, w, &DenseLayer::attention_norm, "attention norms");
    take_layers(floats, w, &DenseLayer::feed_forward_norm, "feed-forward norms");
    floats.take(w.final_norm, c.dim, "final norm");
    floats.take(w.embedding, "token embeddings");
    take_attention(floats, w);
    take_feed_forward(floats, w);
  } else {
    floats.take(w.embedding, "token embeddings");
    take_layers(floats, w, &DenseLayer::attention_norm, "attention norms");
    take_attention(floats, w);
    take_layers(floats, w, &DenseLayer::feed_forward_norm, "feed-forward norms");
    take_feed_forward(floats, w);
    floats.take(w.final_norm, c.dim, "final norm");
    floats.skip(table_floats(header));
  }
  if (!c.tied_embeddings) floats.take(w.head, "output head");
  for (DenseLayer& layer : w.layers) {
    permute_heads(layer.query, c.head_dim);
    permute_heads(layer.key, c.head_dim);
  }
  return w;
}

}  // namespace wafermark::llama
