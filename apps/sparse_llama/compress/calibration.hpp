// What pruning knows about the inputs of a matrix: sums over the tokens of a calibration text.
#pragma once

#include <cstdint>
#include <vector>

#include "common/communicator.hpp"
#include "sparse_llama/compress/hidden_states.hpp"

namespace wafermark::llama {

/// X X^T over the inputs x [columns] that a matrix has seen: [columns, columns], symmetric. Its diagonal
/// holds the squared 2-norms that Wanda uses.
struct InputStatistics {
  std::int64_t columns = 0;
  std::vector<double> products;
  explicit InputStatistics(std::int64_t n = 0) : columns(n), products(std::size_t(n * n)) {}
  double at(std::int64_t i, std::int64_t j) const { return products[std::size_t(i * columns + j)]; }
};

/// Sequences that start with bos; [count * length] tokens.
struct CalibrationText {
  std::vector<std::int32_t> tokens;
  std::int64_t count = 0, length = 0;
};

/// The statistics of one block's four distinct inputs.
struct LayerInputs {
  InputStatistics attention;         ///< of query, key, value
  InputStatistics attention_output;  ///< of attention_output
  InputStatistics feed_forward;      ///< of gate, up
  InputStatistics down;              ///< of down
};

/// Runs a block on the streams of this rank's sequences and sums up its inputs over all ranks. Collective.
LayerInputs layer_inputs(const Communicator& comm, const Configuration& configuration,
                         const DenseLayer& layer, const HiddenStates& states);

}  // namespace wafermark::llama
