// What commands ask for that put a model on the emulated wafer.
#pragma once

#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"
#include "wse_emulator/machine_options.hpp"

namespace wafermark::llama {

struct WaferOptions : wse::MachineOptions {
  std::vector<std::string> traced;
  std::int64_t context = 0, rows_together = 1;
  int layers_per_region = 0, strips = 0;
  bool rows_in_order = false, for_throughput = false;

  void add_to(CLI::App& command);        ///< all but --trace
  void add_trace_to(CLI::App& command);  ///< --trace
  /// --tiles, or all that the machine has. Throws InputError.
  wse::TileGrid grid(const wse::Machine& machine) const;
  /// Storage from the model's options; the density is estimated from the source. Sequences are the caller's.
  WaferSettings settings(const ModelOptions& model, const WeightSource& source) const;
  /// The tiles of --trace, all of them on `grid`. Throws InputError.
  std::vector<std::array<int, 2>> traced_tiles(const wse::TileGrid& grid) const;
};

/// Share of zeros among the weights of the first layer's matrices; of large ones, from every sixteenth row.
double estimated_sparsity(const WeightSource& source);

}  // namespace wafermark::llama
