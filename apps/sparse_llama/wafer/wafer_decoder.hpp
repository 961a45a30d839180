// Llama on the emulated wafer: weights stay in the tiles, activations flow. Begin reading at
// layer_program.cpp, the tile program of a layer, and at run_pass() in wafer_decoder.cpp.
//
// Passes (a token, or rows_together of them) go through the regions one after the other. A pass waits for the
// tiles of a region until the one before has left them, and for its token until the pass that made it is
// done; so several sequences are in flight at once, as many as there are regions, and a prompt streams
// through. All of that follows from the tiles' clocks.
#pragma once

#include <optional>

#include "common/results/result.hpp"
#include "sparse_llama/kernels/half.hpp"
#include "sparse_llama/model/forward_pass.hpp"
#include "sparse_llama/model/rope_table.hpp"
#include "sparse_llama/model/weight_source.hpp"
#include "sparse_llama/wafer/ends_program.hpp"
#include "sparse_llama/wafer/placement.hpp"
#include "sparse_llama/wafer/tile_weights.hpp"
#include "wse_emulator/band.hpp"
#include "wse_emulator/region_executor.hpp"

namespace wafermark::llama {

class WaferDecoder final : public ForwardPass {
 public:
  /// Places the model on `grid` tiles of the machine and packs this rank's tiles. Throws InputError for what
  /// does not fit, with the ledger, and for int8 and CSR, which tiles do not hold. The communicator must
  /// outlive the decoder. Collective, as all calls.
  WaferDecoder(const Communicator& comm, const WeightSource& source, const wse::Machine& machine,
               const wse::TileGrid& grid, WaferSettings settings);

  std::vector<float> forward(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted) override;
  /// Until the last token that was asked for is known, on the machine's clock.
  double seconds() const override { return double(finished_cycle()) / cost_.machine().clock_hz; }

  const Placement& placement() const { return placement_; }
  const wse::RegionExecutor& executor() const { return executor_; }
  wse::RegionExecutor& executor() { return executor_; }
  const ProgramCost& cost() const { return cost_; }
  std::int64_t finished_cycle() const { return executor_.reached(); }
  /// Bytes of packed weights at the fullest tile of the layers' regions.
  std::int64_t most_weight_bytes() const { return most_weight_bytes_; }
  double sparsity() const { return 1.0 - double(stored_) / double(all_); }
  double bits_per_weight() const { return 8.0 * double(layer_bytes_) / double(all_); }
  /// Mean over largest of the cycles that tiles multiply for one token, weighted over matrices: 1 is a
  /// perfect balance. `even`: had rows not been dealt (only counted when they were).
  struct Balance {
    double dealt = 1, even = 1;
  };
  Balance balance() const { return balance_; }
  /// Of the run on another machine, with the same placement: as many times the predicted time of a token as
  /// here.
  double seconds_on(const wse::Machine& machine) const;
  /// Of the run's time, when the machine's numbers move within their ranges. Something has run.
  wse::Band time_band() const;
  /// Figures and sections of a run that made `tokens` tokens.
  void report(Result& result, std::int64_t tokens) const;

 private:
  struct Layer {
    std::vector<float> attention_norm, feed_forward_norm;
    Cut hidden, gate_up;
    std::array<TileWeights, 4> weights;  ///< by Product
    /// [row of tiles of this rank][sequence][position][heads of the row][dimension]
    std::vector<std::vector<float>> keys, values;
  };
  friend class LayerPhases;
  friend wse::Program head_program(const HeadPlan& plan, const wse::TileRegion* from, WaferDecoder* run);

  void pack_layers(const WeightSource& source);
  void load_programs();
  void run_pass(std::span<const TokenRow> rows, const std::vector<char>& wanted, float* logits);
  void embed();
  void run_head(const std::vector<char>& wanted);

  // What happens to the activations in the phases of a layer.
  Layer& layer(std::int64_t l) { return layers_[std::size_t(l)]; }
  const Layer& layer(std::int64_t l) const { return layers_[std::size_t(l)]; }
  const LayerPlan& plan_of(std::int64_t l) const {
    return plans_[std::size_t(l / placement_.layers_per_region)];
  }
  TileMatrix matrix(std::int64_t l, Product product) const;
  void norm(const std::vector<float>& weight) { normalize(*plans_.front().squares, stream_, weight); }
  void multiply(std::int64_t l, Product product);
  void sum_products(std::int64_t l, Product product);
  void rotate();
  void keep_keys_and_values(std::int64_t l);
  void score(std::int64_t l);
  void sum_scores(std::int64_t l);
  void soften(std::int64_t l);
  void sum_weighted(std::int64_t l);
  void divide();
  void gate(std::int64_t l);
  void add_residual();
  // And of the head.
  void norm_of_head() { normalize(*head_plan_->squares, kept_, final_norm_); }
  void multiply_head();
  void sum_head();

  /// x_ = RMSNorm of `stream`.
  void normalize(const wse::LineReduce& squares, const std::vector<float>& stream,
                 const std::vector<float>& weight);
  /// Partial sums of W x_ on own tiles, and the steps in which they come.
  void multiply_tiles(const wse::TileRegion& r, const TileMatrix& m, const TileWeights& weights,
                      std::int64_t tokens, wse::Steps& steps);
  /// x_ = W x_, from the partial sums.
  void sum_lines(const TileMatrix& m, const wse::LineReduce& sums, std::int64_t tokens);

  /// The largest score of each token and query head of a band, [token][query head].
  std::vector<float> largest_scores(int band, int width, std::int64_t queries) const;
  OwnTiles own_tiles(const wse::TileRegion& r) const { return {r.area, executor_.clocks().blocks().mine()}; }
  /// The part of a head in a row's query, key and value, which x_ holds: [head][query 0 ... group - 1, key,
  /// value][dimension].
  float* part(std::size_t token, int y, std::int64_t head, std::int64_t which);
  /// A head's part of a position in the cache of row y.
  float* cached(std::vector<std::vector<float>>& cache, const OwnTiles& own, int y, const TokenRow& row,
                std::int64_t position, std::int64_t head) const;

  const Communicator& comm_;
  std::string name_;
  Configuration model_;
  std::function<void(std::int64_t token, float* out)> embedding_row_;
  ProgramCost cost_;
  Placement placement_;
  RegionTimes times_;
  wse::RegionExecutor executor_;
  Cut dims_, query_key_value_cut_, attended_cut_, vocabulary_;
  LayerShares shares_;
  RopeTable<float> turns_;
  std::vector<float> final_norm_;
  std::vector<Layer> layers_;
  TileWeights head_;

  // The tile programs, and what they go by.
  LayerCode code_;
  HeadCode head_code_;
  LayerItems items_;
  EmbeddingItems embedding_items_;
  HeadItems head_items_;
  std::vector<LayerPlan> plans_;  ///< by region of layers
  std::optional<HeadPlan> head_plan_;
  std::vector<std::size_t> layer_programs_;
  std::size_t embedding_program_ = 0, head_program_ = 0, last_program_ = 0;
  std::vector<int> no_events_;

  // The pass under way.
  std::span<const TokenRow> rows_;
  std::vector<float> stream_, kept_;  ///< [token][dimension]; kept: of tokens behind which logits are wanted
  std::vector<float> x_;              ///< what roots of lines send or have got, [token][element]
  std::vector<float> partial_;        ///< [output line][tile of the line][token][output]
  std::vector<std::int64_t> score_start_;  ///< of each band and column: words of those before
  std::vector<float> scores_;              ///< [band][column][row of the band][token][query head][position]
  std::vector<float> band_scores_;         ///< their sums, [band][column][token][query head][position]
  std::vector<float> weighted_;  ///< [row][column][token][query head][dimension, sum of weights], then sums

  std::int64_t stored_ = 0, all_ = 1, layer_bytes_ = 0, most_weight_bytes_ = 0;
  Balance balance_;
};

}  // namespace wafermark::llama
