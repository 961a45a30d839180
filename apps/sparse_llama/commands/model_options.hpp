// What every command that runs a packed model asks for: which model, stored how.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "common/results/result.hpp"
#include "sparse_llama/cluster/rank_weights.hpp"

namespace wafermark::llama {

struct ModelOptions {
  std::string model, synthetic, format = "bit_mask", value = "bf16";
  std::optional<float> activation_threshold;

  void add_model_to(CLI::App& command);       ///< --model, --synthetic
  void add_storage_to(CLI::App& command);     ///< --format, --value
  void add_value_to(CLI::App& command);       ///< --value
  void add_activation_to(CLI::App& command);  ///< --activation-threshold
  /// Throws InputError: no model or two, a name that is not known, a file that cannot be read. Collective.
  WeightSource source() const;
  /// This rank's part, packed; as it stands in the file when the model is one that `convert` wrote, whose
  /// format and type go before the options'. Collective.
  RankWeights weights(const Communicator& comm) const;
};

/// Of the packed weights over all ranks.
struct WeightFigures {
  double sparsity, bits_per_weight;  ///< of the layers' matrices
  double bytes;                      ///< embedding and head included
};
/// Collective.
WeightFigures weight_figures(const Communicator& comm, const RankWeights& weights);
void add_weight_figures(Result& result, const Communicator& comm, const RankWeights& weights);

}  // namespace wafermark::llama
