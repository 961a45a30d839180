#include "sparse_llama/commands/info.hpp"

#include <fmt/format.h>

#include <memory>

#include "common/communicator.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/wafer/prediction.hpp"

namespace wafermark::llama {
namespace {

constexpr Matrix layer_matrices[] = {Matrix::query, Matrix::key, Matrix::value, Matrix::attention_output,
                                     Matrix::gate,  Matrix::up,  Matrix::down};

/// Bits a weight, from the table at the head of packed_matrix.hpp.
double bits(Format format, ValueType type, double density) {
  const double v = 8.0 * double(bytes_of(type)), scale = type == ValueType::int8 ? 16.0 / group_columns : 0;
  switch (format) {
    case Format::dense:
      return v + scale;
    case Format::csr:
      return density * (v + 16 + scale);
    case Format::bit_mask:
      return 1 + density * v + scale;
    case Format::two_four:
      return 1 + v / 2 + scale;
  }
  return 0;
}

int info(const ModelOptions& o) {
  const Communicator comm;
  const WeightSource source = o.source();
  if (!comm.is_root()) return 0;
  const Configuration& c = source.configuration;
  double layer = 0;
  for (const Matrix m : layer_matrices) layer += double(shape_of(c, m).rows * shape_of(c, m).columns);
  const double weights = layer * double(c.layers), ends = double(c.vocabulary * c.dim);
  const double sparsity = estimated_sparsity(source);
  fmt::print(
      "{}: {} layers, dim {}, hidden {}, {} heads of {} on {} key/value heads, vocabulary {}{}, context {}\n",
      source.name, c.layers, c.dim, c.hidden, c.heads, c.head_dim, c.kv_heads, c.vocabulary,
      c.tied_embeddings ? " (tied)" : "", c.context);
  fmt::print(
      "{:.4g} weights in the layers, {:.1f} % of them zero (first layer), {:.4g} in embedding and head\n",
      weights, 100 * sparsity, ends * (c.tied_embeddings ? 1 : 2));
  fmt::print("cache: {:.4g} MB for each 1,000 tokens of a sequence; at most {} ranks\n\n",
             2e-6 * 4 * 1000 * double(c.layers * c.kv_heads * c.head_dim), c.kv_heads);
  fmt::print("{:<10} {:<6} {:>12} {:>12} {:>22}\n", "format", "value", "bits/weight", "memory, GB",
             "read for a token, GB");
  for (const Format format : {Format::dense, Format::csr, Format::bit_mask, Format::two_four})
    for (const ValueType type : {ValueType::fp32, ValueType::bf16, ValueType::int8}) {
      const double b = bits(format, type, 1 - sparsity), end = ends * bits(Format::dense, type, 1) / 8;
      fmt::print("{:<10} {:<6} {:>12.2f} {:>12.3f} {:>22.3f}\n", name_of(format), name_of(type), b,
                 1e-9 * (weights * b / 8 + end * (c.tied_embeddings ? 1 : 2)),
                 1e-9 * (weights * b / 8 + end));
    }
  return 0;
}

}  // namespace

void add_info_command(CLI::App& app, std::function<int()>& action) {
  auto* command =
      app.add_subcommand("info", "What a model takes: shapes, bits per weight and memory by format");
  auto o = std::make_shared<ModelOptions>();
  o->add_model_to(*command);
  command->callback([o, &action] { action = [o] { return info(*o); }; });
}

}  // namespace wafermark::llama
