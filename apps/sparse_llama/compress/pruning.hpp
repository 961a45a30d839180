// Setting weights to zero: by magnitude, by Wanda's score, by SparseGPT. Matrices are [rows outputs, columns
// inputs]. Embeddings, head and norms are left alone, as in the published recipes. Weights that are zero
// already count, and stay: pruning a 50 % model to 70 % removes another 20 %.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "sparse_llama/compress/calibration.hpp"
#include "sparse_llama/compress/pruned_folder.hpp"
#include "sparse_llama/compress/pruned_rows.hpp"

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

/// Calls its argument with pieces of this rank's values: (const float*, count).
using EachValues = std::function<void(const std::function<void(const float*, std::int64_t)>&)>;

/// The `count` values of least magnitude among those of all ranks, found by their bits in two passes; of
/// equal ones those that are pruned first. Collective.
class MagnitudeCut {
 public:
  MagnitudeCut(const Communicator& comm, std::int64_t count, const EachValues& each);
  /// Sets those among the rows to zero. Called for all rows, in the order that says which come first.
  void prune(const PrunedRows& rows);

 private:
  const Communicator& comm_;
  std::uint32_t bits_ = 0;  ///< of the magnitude where the cut is: all below it go
  std::int64_t equal_ = 0;  ///< and so many that are equal
};

/// |w|: the smallest of the whole matrix (of each group of 4 along a row for 2:4). Exactly round(sparsity *
/// size) zeros. Collective.
void prune_by_magnitude(const Communicator& comm, const PrunedRows& rows, const Pattern& pattern);
/// |w_ij| * ||x_j||_2, smallest within each row (Sun et al. 2023): round(sparsity * columns) zeros in every
/// row.
void prune_by_wanda(const PrunedRows& rows, const Pattern& pattern, const InputStatistics& inputs);
/// Row i of the factor, from the diagonal on, divided by it, is the update that removing column i calls for
/// when the columns before i are settled: the Cholesky factor (upper, [columns, columns]) of H^-1 holds the
/// inverses of all trailing Hessians at once. H = X X^T + damping * mean(diagonal).
std::vector<double> sparsegpt_factor(const InputStatistics& inputs, double damping);
/// Frantar and Alistarh 2023: columns left to right in blocks; in a block the weights with the least
/// w^2 / [H^-1]_jj^2 (over the block's rows, of all ranks) go, and what is lost is made up by the columns to
/// their right. Exactly round(sparsity * size) zeros in the matrix. Collective.
void prune_by_sparsegpt(const Communicator& comm, const PrunedRows& rows, const Pattern& pattern,
                        const InputStatistics& inputs, const std::vector<double>& factor, std::int64_t block);

/// ||(W' - W) X||^2 and ||W X||^2 of some rows.
struct OutputSquares {
  double lost, whole;
};
OutputSquares output_squares(const float* after, const float* before, std::int64_t rows,
                             const InputStatistics& inputs);

struct PrunedMatrix {
  std::string name;
  std::int64_t size = 0, zeros = 0;
  double error = 0;  ///< ||(W' - W) X||^2 / ||W X||^2 on the calibration text; 0 without one
};

/// Throws InputError when the settings do not fit each other or the model. `calibrated`: whether there is a
/// text.
void expect_prunable(const Configuration& configuration, const PruningSettings& settings, bool calibrated);

/// Asked between two layers: whether to stop there.
using StopAfterLayer = std::function<bool(std::int64_t layers_done)>;

/// Prunes the matrices of all transformer blocks into `folder`, those that it has not finished yet, in order;
/// with a calibration text each on the outputs of the blocks pruned before it (as published), whose streams
/// are kept: a block runs once for its inputs and once, pruned, for its outputs. Ranks share the calibration
/// sequences and the rows of each matrix. Holds one block. Returns what there is of the finished layers, all
/// of them unless `stop` said so. Throws InputError where the source is damaged. Collective.
std::vector<PrunedMatrix> prune(const Communicator& comm, const WeightSource& source,
                                const PruningSettings& settings, const CalibrationText* calibration,
                                PrunedFolder& folder, const StopAfterLayer& stop);

/// What prune() keeps in the folder's record of a layer, and takes from it.
nlohmann::json json_of(const std::vector<PrunedMatrix>& layer);

/// What decides about the weights, for a restart to be compared with.
nlohmann::json settings_to_keep(const WeightSource& source, const PruningSettings& settings,
                                const CalibrationText* calibration, StoredType type);

}  // namespace wafermark::llama
