// Where a model lies on the wafer: every group of layers, the embedding and the output head on a rectangle of
// tiles of its own.
//
// The grid is cut into strips of equal width; a strip holds regions one below the other, and the stream of a
// token goes down one strip and up the next. A layer's four matrices are cut over all tiles of its region:
// query-key-value and gate-up take their inputs along the columns and give their outputs along the rows,
// attention-output and down the other way round, so that outputs arrive where the next matrix needs them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sparse_llama/model/packed_matrix.hpp"
#include "sparse_llama/wafer/cut.hpp"
#include "sparse_llama/wafer/program_cost.hpp"
#include "wse_emulator/region.hpp"
#include "wse_emulator/tile_memory.hpp"

namespace wafermark::llama {

/// Whether the sums of a product's matrices (query, key and value; gate and up) flow together, and the sum of
/// attention's weights with its values, or each by itself and back to all tiles, as in programs of others.
/// That is for times only: nobody works out its numbers.
enum class SumsOf { products, matrices };

/// What shapes a run on the wafer.
struct WaferSettings {
  Format format = Format::bit_mask;
  ValueType value_type = ValueType::bf16;
  StoredWeights stored_weights = StoredWeights::found;
  double density = 1.0;      ///< of the layers' matrices, for the search; weights are counted later
  std::int64_t context = 0;  ///< tokens of cache of each sequence
  std::int64_t sequences = 1;
  std::int64_t rows_together = 1;         ///< tokens that go through the layers as one batch
  int layers_per_region = 0, strips = 0;  ///< 0: searched for
  bool for_throughput = false;  ///< many sequences in flight matter, not how soon a token is through
  SumsOf sums = SumsOf::products;
  bool balance_rows = true;  ///< deal hidden units so that tiles hold equally many weights
};

struct Placement {
  Configuration model;
  WaferSettings settings;
  wse::TileGrid grid;
  int strips = 1, layers_per_region = 1;
  std::vector<wse::TileRegion> layers;  ///< of each group of layers
  wse::TileRegion embedding, head;      ///< the same for tied embeddings
  double predicted_token_cycles = 0;    ///< of one token through all regions, from mean densities
  double predicted_stage_cycles = 0;    ///< of the slowest region: a token leaves the wafer so often

  const wse::TileRegion& of_layer(std::int64_t l) const { return layers[std::size_t(l / layers_per_region)]; }
  /// The strips and the layers in a region that take a token through soonest (or, for throughput, let the
  /// next one follow soonest) and whose tiles hold their share with the asked-for cache; both may be fixed by
  /// the settings. Throws InputError with the ledger of a tile when nothing fits.
  static Placement search(const Configuration& model, const wse::Machine& machine, const ProgramCost& cost,
                          const wse::TileGrid& grid, const WaferSettings& settings);

  /// Cycles of one token through the layers and the head, of tiles that hold the mean; of the slowest region.
  struct Prediction {
    double token = 0, stage = 0;
  };
  /// Of this placement on a machine, whichever it was searched for.
  Prediction predict(const ProgramCost& cost) const;

  /// What a tile of a layer's region holds, with `weights` bytes of packed matrices: all but those are
  /// counted at the region's fullest tile. Throws InputError when the tile is too small.
  wse::TileMemory tile_memory(const wse::Machine& machine, std::int64_t weights) const;
  /// Bytes of the fullest tile's packed matrices: exact for dense ones, otherwise what chance makes of the
  /// density.
  std::int64_t expected_weight_bytes() const;
  /// Tokens of cache for which the layers' tiles have room beside `weights` bytes, over all sequences.
  std::int64_t cache_capacity(const wse::Machine& machine, std::int64_t weights) const;
  /// [{name, x, y, width, height}], the picture of the report.
  nlohmann::json floor_plan() const;
};

/// Bytes of `outputs` x `inputs` weights as tiles hold them by columns, of which a share `density` is stored.
double packed_bytes(const WaferSettings& settings, double inputs, double outputs, double density);

}  // namespace wafermark::llama
