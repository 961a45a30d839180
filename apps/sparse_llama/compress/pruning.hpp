// Setting weights to zero: by magnitude, by Wanda's score, by SparseGPT. Matrices are [rows outputs, columns
// inputs]. Embeddings, head and norms are left alone, as in the published recipes. Weights that are zero
// already count, and stay: pruning a 50 % model to 70 % removes another 20 %.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sparse_llama/compress/calibration.hpp"
#include "sparse_llama/compress/parameters.hpp"

namespace wafermark::llama {

/// A share of zeros, or a pattern of 2 zeros in each 4 neighbours along the inputs.
struct Pattern {
  double sparsity = 0.5;
  bool two_of_four = false;
};

enum class PruningMethod { magnitude, wanda, sparsegpt };
PruningMethod pruning_method(const std::string& name);  ///< throws InputError

struct PruningSettings {
  PruningMethod method = PruningMethod::sparsegpt;
  Pattern pattern;
  bool global = false;       ///< magnitude only: one threshold for all matrices instead of one for each
  std::int64_t block = 128;  ///< SparseGPT: columns that share one choice of mask
  double damping = 0.01;     ///< SparseGPT: added to the Hessian's diagonal, in shares of its mean
  /// Sparsity of the matrices whose name contains the key ("layers.0." or "down_proj"); the longest key that
  /// fits wins.
  std::map<std::string, double> sparsity_of;
};

/// |w|: the smallest of the whole matrix (of each group of 4 along a row for 2:4). Exactly round(sparsity *
/// size) zeros.
void prune_by_magnitude(float* weights, std::int64_t rows, std::int64_t columns, const Pattern& pattern);
/// |w_ij| * ||x_j||_2, smallest within each row (Sun et al. 2023): round(sparsity * columns) zeros in every
/// row.
void prune_by_wanda(float* weights, std::int64_t rows, std::int64_t columns, const Pattern& pattern,
                    const InputStatistics& inputs);
/// Frantar and Alistarh 2023: columns left to right in blocks; in a block the weights with the least
/// w^2 / [H^-1]_jj^2 (over the block's rows) go, and what is lost is made up by the columns to their right.
/// H = X X^T + damping * mean(diagonal). Exactly round(sparsity * size) zeros in the matrix.
void prune_by_sparsegpt(float* weights, std::int64_t rows, std::int64_t columns, const Pattern& pattern,
                        const InputStatistics& inputs, std::int64_t block, double damping);

struct PrunedMatrix {
  std::string name;
  std::int64_t size = 0, zeros = 0;
  double error = 0;  ///< ||(W' - W) X||^2 / ||W X||^2 on the calibration text; 0 without one
};

/// Throws InputError when the settings do not fit each other or the model. `calibrated`: whether there is a
/// text.
void expect_prunable(const Configuration& configuration, const PruningSettings& settings, bool calibrated);

/// Prunes the matrices of all transformer blocks. With a calibration text the blocks are pruned in order,
/// each on the outputs of the blocks pruned before it (as published); magnitude needs none. Collective: each
/// rank runs a part of the calibration sequences, rank r prunes every size-th matrix. The result is the same
/// on all ranks.
std::vector<PrunedMatrix> prune(const Communicator& comm, const Configuration& configuration,
                                std::vector<float>& parameters, const PruningSettings& settings,
                                const CalibrationText* calibration);

}  // namespace wafermark::llama
