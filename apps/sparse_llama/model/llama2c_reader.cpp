#include "sparse_llama/model/llama2c_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/configuration_file.hpp"

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

/// Takes tensors one after the other from the floats behind the header, whose number is known to be right.
class Floats {
 public:
  Floats(FileModel& model, std::string_view bytes) : model_(model), bytes_(bytes) {}

  void take(Vector vector, std::int64_t layer, const char* name) {
    const std::int64_t dim = model_.configuration.dim;
    model_.vectors[{vector, layer}] = read_vector(next(dim), dim, fmt::format("{}: {}", model_.name, name));
  }
  void take(Matrix matrix, std::int64_t layer, const char* name) {
    const auto [rows, columns] = shape_of(model_.configuration, matrix);
    FileModel::Part& part = model_.matrices[{matrix, layer}];
    part.matrix = std::make_unique<WholeMatrix>(fmt::format("{}: {}", model_.name, name), rows, columns,
                                                next(rows * columns));
    if (matrix == Matrix::query || matrix == Matrix::key) part.paired_head = model_.configuration.head_dim;
  }
  template <class Part>
  void take_of_all_layers(Part part, const char* name) {
    for (std::int64_t l = 0; l < model_.configuration.layers; ++l) take(part, l, name);
  }
  void skip(std::int64_t count) { next(count); }

 private:
  StoredNumbers next(std::int64_t count) {
    const std::string_view bytes = bytes_.substr(0, std::size_t(count) * sizeof(float));
    bytes_.remove_prefix(bytes.size());
    return {NumberType::f32, bytes};
  }
  FileModel& model_;
  std::string_view bytes_;
};

void take_attention(Floats& floats) {
  floats.take_of_all_layers(Matrix::query, "wq");
  floats.take_of_all_layers(Matrix::key, "wk");
  floats.take_of_all_layers(Matrix::value, "wv");
  floats.take_of_all_layers(Matrix::attention_output, "wo");
}

void take_feed_forward(Floats& floats) {
  floats.take_of_all_layers(Matrix::gate, "w1");
  floats.take_of_all_layers(Matrix::down, "w2");
  floats.take_of_all_layers(Matrix::up, "w3");
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

FileModel open_llama2c(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  const Header header = read_header(path, file->bytes());
  const Configuration& c = header.configuration;
  const std::uint64_t found = file->bytes().size() - header.bytes, floats_expected = expected_floats(header);
  if (found % sizeof(float) != 0 || found / sizeof(float) != floats_expected)
    throw InputError(
        fmt::format("{}: found {} bytes behind the header, expected {} floats for dim {}, hidden {}, {} "
                    "layers, {}/{} heads, "
                    "vocabulary {}, context {}",
                    path, found, floats_expected, c.dim, c.hidden, c.layers, c.heads, c.kv_heads,
                    c.vocabulary, c.context));
  FileModel model;
  model.name = path;
  model.configuration = c;
  model.files.push_back(file);
  Floats floats(model, file->bytes().substr(header.bytes));
  if (header.versioned) {
    floats.take_of_all_layers(Vector::attention_norm, "attention norms");
    floats.take_of_all_layers(Vector::feed_forward_norm, "feed-forward norms");
    floats.take(Vector::final_norm, 0, "final norm");
    floats.take(Matrix::embedding, 0, "token embeddings");
    take_attention(floats);
    take_feed_forward(floats);
  } else {
    floats.take(Matrix::embedding, 0, "token embeddings");
    floats.take_of_all_layers(Vector::attention_norm, "attention norms");
    take_attention(floats);
    floats.take_of_all_layers(Vector::feed_forward_norm, "feed-forward norms");
    take_feed_forward(floats);
    floats.take(Vector::final_norm, 0, "final norm");
    floats.skip(table_floats(header));
  }
  if (!c.tied_embeddings) floats.take(Matrix::head, 0, "output head");
  return model;
}

}  // namespace wafermark::llama
