// Llama on the emulated wafer: weights stay in the tiles, activations flow. Begin reading at run_pass() and
// layer() in wafer_decoder.cpp, the tile program of one token.
//
// Passes (a token, or rows_together of them) go through the regions one after the other. A pass waits for the
// tiles of a region until the one before has left them, and for its token until the pass that made it is
// done; so several sequences are in flight at once, as many as there are regions, and a prompt streams
// through. All of that follows from the tiles' clocks.
#pragma once

#include "common/results/result.hpp"
#include "sparse_llama/model/forward_pass.hpp"
#include "sparse_llama/model/rope_table.hpp"
#include "sparse_llama/model/weight_source.hpp"
#include "sparse_llama/wafer/tile_times.hpp"

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
  double seconds() const override { return double(finished_) / cost_.machine().clock_hz; }

  const Placement& placement() const { return placement_; }
  const TileTimes& times() const { return times_; }
  TileTimes& times() { return times_; }
  const ProgramCost& cost() const { return cost_; }
  std::int64_t finished_cycle() const { return finished_; }
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
  /// Figures and sections of a run that made `tokens` tokens.
  void report(Result& result, std::int64_t tokens) const;

 private:
  struct Layer {
    std::vector<float> attention_norm, feed_forward_norm;
    Cut hidden, gate_up;
    TileWeights query_key_value, attention_output, gate_up_weights, down;
    /// [row of tiles of this rank][sequence][position][heads of the row][dimension]
    std::vector<std::vector<float>> keys, values;
  };
  struct Phases {
    std::size_t multiply, norm, rotate, scores, softmax, gate, residual, choose;
  };

  void pack_layers(const WeightSource& source);
  void run_pass(std::span<const TokenRow> rows, const std::vector<char>& wanted, float* logits);
  void layer(std::int64_t l, std::span<const TokenRow> rows, std::vector<float>& stream);
  /// The stream's way to its roots in another region.
  void hand_over(const Region& from, const Region& to, std::int64_t rows);
  std::vector<float> embed(std::span<const TokenRow> rows);
  std::vector<float> norm(const Region& r, const std::vector<float>& stream, const std::vector<float>& weight,
                          std::int64_t rows);
  /// y [rows][outputs] = W x, from roots of the input lines to roots of the output lines.
  std::vector<float> product(const Region& r, const TileMatrix& matrix, const TileWeights& weights,
                             const std::vector<float>& x, std::int64_t rows);
  std::vector<float> attention(const Region& r, std::int64_t l, std::vector<float> query_key_value,
                               std::span<const TokenRow> rows);
  void add_residual(const Region& r, std::vector<float>& stream, const std::vector<float>& sums,
                    std::int64_t rows);
  std::vector<float> gate(const Region& r, const Layer& layer, const std::vector<float>& gate_up,
                          std::int64_t rows);
  void choose_token(std::int64_t rows);

  const Communicator& comm_;
  std::string name_;
  Configuration model_;
  std::function<void(std::int64_t token, float* out)> embedding_row_;
  ProgramCost cost_;
  Placement placement_;
  TileTimes times_;
  Phases phase_{};
  Cut dims_, query_key_value_cut_, attended_cut_, vocabulary_;
  std::vector<RowHeads> heads_;
  RopeTable<float> turns_;
  std::vector<float> final_norm_;
  std::vector<Layer> layers_;
  TileWeights head_;
  std::vector<std::int64_t> ready_;  ///< cycle at which each sequence's next token is known
  std::int64_t finished_ = 0, passes_ = 0;
  std::int64_t stored_ = 0, all_ = 1, layer_bytes_ = 0, most_weight_bytes_ = 0;
  Balance balance_;
};

}  // namespace wafermark::llama
