// What every command that runs a packed model asks for: which model, stored how.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "common/results/result.hpp"
#include "sparse_llama/cluster/rank_weights.hpp"

namespace wafermark::llama {

struct ModelOptions {
  std::string model, synthetic, format = "bit_mask", value = "bf16";

  void add_model_to(CLI::App& command);    ///< --model, --synthetic
  void add_storage_to(CLI::App& command);  ///< --format, --value
  /// Throws InputError: no model or two, a name that is not known, a file that cannot be read. Collective.
  WeightSource source() const;
  Format storage() const { return format_named(format, "--format"); }
  ValueType value_type() const { return value_type_named(value, "--value"); }
};

/// Figures of the packed weights over all ranks: bits a weight, sparsity, bytes. Collective.
void add_weight_figures(Result& result, const Communicator& comm, const RankWeights& weights);

}  // namespace wafermark::llama
