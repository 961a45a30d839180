// What commands ask for that put a model on the emulated wafer.
#pragma once

#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/wafer/streamed_pass.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"
#include "wse_emulator/machine_options.hpp"

namespace wafermark::llama {

struct WaferOptions : wse::MachineOptions {
  std::vector<std::string> traced;
  std::int64_t context = 0, rows_together = 1;
  int layers_per_region = 0, strips = 0;
  bool rows_in_order = false, for_throughput = false;
  std::string stored_weights = "found";
  std::string weights = "resident", tile_sums = "fp16", edge_code = "index";
  int groups = 0, ahead = 8, sums_together = 0;
  std::optional<std::int64_t> worked_out;

  void add_to(CLI::App& command);        ///< all but --trace
  void add_trace_to(CLI::App& command);  ///< --trace
  /// --tiles, or all that the machine has. Throws InputError.
  wse::TileGrid grid(const wse::Machine& machine) const;
  /// Storage from the model's options; the density is estimated from the source. Sequences are the caller's.
  WaferSettings settings(const ModelOptions& model, const WeightSource& source) const;
  bool streamed() const { return weights == "streamed"; }
  /// Throws InputError when an option of one way of holding weights was given for the other.
  void check_weights() const;
  /// Storage as above; `density`: of the layers' weights. How many tokens, the caller says.
  StreamedSettings streamed_settings(const ModelOptions& model, double density) const;
  /// The tiles of --trace, all of them on `grid`. Throws InputError.
  std::vector<std::array<int, 2>> traced_tiles(const wse::TileGrid& grid) const;

 private:
  void add_streamed_to(CLI::App& command);

  std::vector<const CLI::Option*> of_resident_, of_streamed_;
};

/// Of a result: the machine, and the tiles of it that are used.
nlohmann::json wafer_section(const wse::Machine& machine, const wse::TileGrid& grid);

/// Share of zeros among the weights of the first layer's matrices; of large ones, from every sixteenth row.
double estimated_sparsity(const WeightSource& source);

}  // namespace wafermark::llama
