#include "sparse_llama/model/llama2c_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "common/errors.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

/// Sizes of the file's head. A negative vocabulary says that the output head is a matrix of its own.
struct Header {
  std::int32_t dim, hidden, layers, heads, kv_heads, vocabulary, context;
};

Configuration configuration_of(const std::string& path, const Header& h) {
  const auto fail = [&](const char* what, std::int64_t found, const std::string& expected) {
    throw InputError(fmt::format("{}: {} = {}: expected {}", path, what, found, expected));
  };
  const auto size = [&](const char* what, std::int32_t found) {
    if (found < 1 || found > 1 << 24) fail(what, found, "1 to 16777216");
    return std::int64_t(found);
  };
  Configuration c;
  c.dim = size("dim", h.dim);
  c.hidden = size("hidden", h.hidden);
  c.layers = size("layers", h.layers);
  c.heads = size("heads", h.heads);
  c.kv_heads = size("key/value heads", h.kv_heads);
  if (h.vocabulary == std::numeric_limits<std::int32_t>::min()) fail("vocabulary", h.vocabulary, "a size");
  c.vocabulary = size("vocabulary", std::abs(h.vocabulary));
  c.context = size("context", h.context);
  c.tied_embeddings = h.vocabulary > 0;
  if (c.heads % c.kv_heads != 0)
    fail("heads", c.heads, fmt::format("a multiple of the {} key/value heads", c.kv_heads));
  c.head_dim = c.dim / c.heads;
  if (c.dim % (2 * c.heads) != 0)
    fail("dim", c.dim, fmt::format("a multiple of twice the {} heads", c.heads));
  return c;
}

/// fp32 numbers that the file must hold behind its header; a double, since hostile sizes overflow integers.
double numbers_in(const Configuration& c) {
  const double dim = double(c.dim), layer = 2 * dim * double(c.query_dim()) + 2 * dim * double(c.kv_dim()) +
                                            3 * dim * double(c.hidden) + 2 * dim;
  return double(c.vocabulary) * dim * (c.tied_embeddings ? 1 : 2) + double(c.layers) * layer + dim +
         double(c.context) * double(c.head_dim);  // two tables of turns that nobody reads any more
}

/// Rows of each head from turns of neighbours (2 i, 2 i + 1) to turns of halves (i, i + head_dim / 2).
void halves_from_neighbours(DenseMatrix& m, std::int64_t head_dim) {
  const std::vector<float> old = m.values;
  for (std::int64_t r = 0; r < m.rows; ++r) {
    const std::int64_t i = r % head_dim, to = r - i + i / 2 + (i % 2) * (head_dim / 2);
    std::copy_n(old.data() + r * m.columns, m.columns, m.row(to));
  }
}

}  // namespace

DenseWeights read_llama2c(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  Header header{};
  if (error || !in) throw InputError(fmt::format("{}: cannot be read, expected a llama2.c checkpoint", path));
  if (!in.read(reinterpret_cast<char*>(&header), sizeof header))
    throw InputError(fmt::format("{}: found {} bytes, expected a header of {}", path, bytes, sizeof header));
  const Configuration c = configuration_of(path, header);
  const double expected = double(sizeof header) + 4 * numbers_in(c);
  if (double(bytes) != expected)
    throw InputError(fmt::format("{}: found {} bytes, expected {:.0f} for the sizes in its header", path,
                                 bytes, expected));

  DenseWeights w = weights_without_values(c);
  const auto read = [&](const char* what, std::vector<float>& values, std::int64_t size) {
    values.resize(std::size_t(size));
    in.read(reinterpret_cast<char*>(values.data()), std::streamsize(values.size() * sizeof(float)));
    if (!in) throw InputError(fmt::format("{}: {}: cannot be read to its end", path, what));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        throw InputError(
            fmt::format("{}: {}: found {} as element {}, expected a number", path, what, values[i], i));
  };
  const auto matrix = [&](const char* what, DenseMatrix& m) { read(what, m.values, m.rows * m.columns); };
  const auto each_layer = [&](const auto& visit) {
    for (DenseLayer& layer : w.layers) visit(layer);
  };
  matrix("token_embedding_table", w.embedding);
  each_layer([&](DenseLayer& l) { read("rms_att_weight", l.attention_norm, c.dim); });
  each_layer([&](DenseLayer& l) { matrix("wq", l.query); });
  each_layer([&](DenseLayer& l) { matrix("wk", l.key); });
  each_layer([&](DenseLayer& l) { matrix("wv", l.value); });
  each_layer([&](DenseLayer& l) { matrix("wo", l.attention_output); });
  each_layer([&](DenseLayer& l) { read("rms_ffn_weight", l.feed_forward_norm, c.dim); });
  each_layer([&](DenseLayer& l) { matrix("w1", l.gate); });
  each_layer([&](DenseLayer& l) { matrix("w2", l.down); });
  each_layer([&](DenseLayer& l) { matrix("w3", l.up); });
  read("rms_final_weight", w.final_norm, c.dim);
  in.seekg(std::streamoff(4 * c.context * c.head_dim), std::ios::cur);
  if (!c.tied_embeddings) matrix("wcls", w.head);
  each_layer([&](DenseLayer& l) {
    halves_from_neighbours(l.query, c.head_dim);
    halves_from_neighbours(l.key, c.head_dim);
  });
  return w;
}

}  // namespace wafermark::llama
