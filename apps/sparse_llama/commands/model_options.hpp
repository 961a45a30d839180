// What every command that runs a packed model asks for: which model, stored how.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "common/results/result.hpp"
#include "sparse_llama/cluster/rank_weights.hpp"

namespace wafermark::llama {

struct ModelOptions {
  std::string model, synthetic, format = "bit_mask", value = "bf16", cache;
  std::optional<float> activation_threshold;
  CLI::Option *format_option = nullptr, *value_option = nullptr;  ///< whether the user gave them

  void add_model_to(CLI::App& command);       ///< --model (or the first word), --synthetic
  void add_storage_to(CLI::App& command);     ///< --format, --value
  void add_value_to(CLI::App& command);       ///< --value
  void add_activation_to(CLI::App& command);  ///< --activation-threshold
  void add_cache_to(CLI::App& command);       ///< --cache
  /// --cache, else what suits weights of a type.
  ValueType cache_type(ValueType weights) const;
  /// Throws InputError: no model or two, a name that is not known, a file that cannot be read. Collective.
  WeightSource source() const;
  /// Whether only the sizes of the weights are to be made (simulated clusters).
  bool hollow() const { return !synthetic.empty() && synthetic_source(synthetic).hollow.has_value(); }
  /// This rank's part, packed; as it stands in the file when the model is one that `convert` wrote: an option
  /// that asks for another format or type is an InputError. Collective.
  /// `known` is called as soon as the configuration and the type of the values are known, before anything is
  /// packed: what a command cannot do with this model ends it there. Throws InputError when the packed
  /// weights do not fit into memory.
  RankWeights weights(
      const Communicator& comm, const std::function<void(const Configuration&, ValueType)>& known =
                                    [](const Configuration&, ValueType) {}) const;
};

/// Adds --cache, of the types that keys and values may be kept as.
void add_cache_option(CLI::App& command, std::string& cache, const std::string& before_its_text = "");

/// The tokenizer at `given`, else the one beside `model`; "" when there is none.
std::string tokenizer_for(const std::string& model, const std::string& given);

/// Of the packed weights over all ranks.
struct WeightFigures {
  double sparsity, bits_per_weight;  ///< of the layers' matrices
  double bytes;                      ///< embedding and head included
};
/// Collective.
WeightFigures weight_figures(const Communicator& comm, const RankWeights& weights);
void add_weight_figures(Result& result, const Communicator& comm, const RankWeights& weights);

}  // namespace wafermark::llama
