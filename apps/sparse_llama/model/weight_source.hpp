// Where the numbers of a model come from, row by row, so that a rank takes only its part and packs it as it
// comes: files, matrices in memory, or weights made up on the spot.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sparse_llama/model/dense_weights.hpp"

namespace wafermark::llama {

/// The matrices of a model; all but embedding and head exist once a layer.
enum class Matrix { embedding, query, key, value, attention_output, gate, up, down, head };
/// What scales a normed row, or is added to a product; all but the last exist once a layer,
/// biases and norms of query and key in some architectures only.
enum class Vector {
  attention_norm,
  feed_forward_norm,
  query_bias,
  key_bias,
  value_bias,
  query_norm,
  key_norm,
  final_norm
};

struct MatrixShape {
  std::int64_t rows, columns;
};
MatrixShape shape_of(const Configuration& configuration, Matrix matrix);
/// Elements of a vector.
std::int64_t length_of(const Configuration& configuration, Vector vector);
/// "query" and so on.
const char* name_of(Matrix matrix);

struct WeightSource {
  std::string name;  ///< of the model, for messages and records
  Configuration configuration;
  bool bf16 = false;  ///< all numbers are of this type
  /// Comes before the rows of a layer's matrix. Throws InputError where it is damaged.
  std::function<void(Matrix matrix, std::int64_t layer)> open = [](Matrix, std::int64_t) {};
  /// Columns [first, first + count) of a row of a layer's matrix, to `out`. Threads may call it together.
  std::function<void(Matrix matrix, std::int64_t layer, std::int64_t row, std::int64_t first,
                     std::int64_t count, float* out)>
      row;
  /// Comes behind them: what they took of memory goes, for now. Throws InputError where a row held something
  /// that is no number.
  std::function<void(Matrix matrix, std::int64_t layer)> close = [](Matrix, std::int64_t) {};
  std::function<std::vector<float>(Vector vector, std::int64_t layer)> vector;  ///< [length_of()]
  /// Of a model of which only sizes count: the share of the layers' weights that are stored. Rows are not
  /// asked for. For simulated clusters, where larger models run than this machine holds.
  std::optional<double> hollow = std::nullopt;
};

/// Reads everything once. Throws InputError where something is damaged or no number. For those who begin
/// before they have read all.
void expect_numbers(const WeightSource& source);

/// All of it in memory as fp32. Throws InputError as open and close do.
DenseWeights dense_weights(const WeightSource& source);
/// A block of it; with open and close.
DenseLayer dense_layer(const WeightSource& source, std::int64_t layer);
/// A whole matrix; with open and close.
DenseMatrix dense_matrix(const WeightSource& source, Matrix matrix, std::int64_t layer);
/// One matrix, rows [first, first + count) of it, between its open and close.
DenseMatrix dense_rows(const WeightSource& source, Matrix matrix, std::int64_t layer, std::int64_t first,
                       std::int64_t count);

/// The matrices of a checkpoint; shares them.
WeightSource checkpoint_source(const std::string& name, std::shared_ptr<const DenseWeights> weights);

/// Weights of the true shapes of a model, without a file: "llama2-7b:sparsity=0.7,seed=1". Layers hold normal
/// deviates of standard deviation 0.02, a share of `sparsity` of them zero (with `two_four=1`: two of each
/// four); embedding and head stay dense. Each weight is a function of seed, matrix and place, whoever asks.
/// More keys: layers (fewer than the model's), context, hollow=1 (simulated clusters only). Throws InputError
/// that names `specification`, the word and the choices.
WeightSource synthetic_source(const std::string& specification);

/// The sizes of a published model by its name ("llama2-7b", "llama3-8b", "tinyllama-1.1b", ...).
Configuration published_configuration(const std::string& name);

}  // namespace wafermark::llama
