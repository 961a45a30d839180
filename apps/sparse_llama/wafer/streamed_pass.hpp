// Llama on the emulated wafer with weights that stream through it. Begin reading at streamed_program.hpp, the
// tile program of a layer.
//
// Weights are read row by row and never stored. Clocks are those of all tiles and all weights; the numbers of
// the rows that are worked out are those that tiles would have, in the tiles' number types and order.
#pragma once

#include <map>

#include "common/results/result.hpp"
#include "sparse_llama/model/forward_pass.hpp"
#include "sparse_llama/model/rope_table.hpp"
#include "sparse_llama/model/weight_source.hpp"
#include "sparse_llama/wafer/streamed_place.hpp"
#include "wse_emulator/band.hpp"
#include "wse_emulator/region_executor.hpp"

namespace wafermark::llama {

class StreamedPass final : public ForwardPass {
 public:
  /// Places the numbers of settings.tokens tokens on `grid` tiles of the machine; positions are below
  /// `context`. Throws InputError for what does not fit, with the ledger, and for number types and formats
  /// that tiles do not take. Both must outlive it. Collective, as all calls.
  StreamedPass(const Communicator& comm, const WeightSource& source, const wse::Machine& machine,
               const wse::TileGrid& grid, const StreamedSettings& settings, std::int64_t context);

  std::vector<float> forward(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted) override;
  /// The same for time, words and energy; of the numbers only those of the first `worked_out` rows, which
  /// must need no others. Logits are those of the rows of `wanted` among them.
  std::vector<float> forward(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted,
                             std::int64_t worked_out);
  double seconds() const override { return double(executor_.reached()) / machine_.clock_hz; }

  const StreamedPlace& place() const { return place_; }
  const StreamedSettings& settings() const { return settings_; }
  const wse::RegionExecutor& executor() const { return executor_; }
  wse::RegionExecutor& executor() { return executor_; }
  double sparsity() const { return all_ > 0 ? 1.0 - stored_ / all_ : 0.0; }
  /// Of a layer's products in the last pass.
  const StreamedItems& items() const { return items_; }
  const StreamedCode& code() const { return *code_; }
  double edge_bits() const { return edge_.bits(); }
  double seconds_on(const wse::Machine& machine) const;
  wse::Band time_band() const;
  /// Figures and sections of a run that took `tokens` tokens through the model.
  void report(Result& result, std::int64_t tokens) const;

 private:
  void load(std::int64_t tokens, std::span<const TokenRow> rows, std::size_t wanted);
  void multiply(StreamedMatrix matrix);
  /// y_ = W x_ of these outputs, in the arithmetic of T. counts: [output][column], of arriving weights.
  template <class T>
  void multiply_rows(const StreamedShape& shape, const std::vector<Matrix>& parts, const Cut& inputs,
                     std::span<const StreamedOutput> outputs, std::uint16_t* counts);
  void normalize(Vector norm);
  void attend();
  void gate();
  void add_residual();

  const Communicator& comm_;
  const WeightSource& source_;
  wse::Machine machine_;
  StreamedSettings settings_;
  StreamedPlace place_;
  std::int64_t context_;
  RegionTimes times_;
  wse::RegionExecutor executor_;
  wse::EdgeStream edge_;
  RopeTable<float> turns_;

  // What the programs go by.
  StreamedItems items_, head_items_;
  std::optional<StreamedCode> code_, head_code_;
  StreamedBodies bodies_;
  std::vector<int> finished_{0};
  std::map<int, std::size_t> layer_programs_;  ///< by rows of a sequence
  std::optional<std::size_t> head_program_;

  // The pass under way; vectors of numbers are [element][row], y_ by StreamedShape::number.
  std::int64_t layer_ = 0;
  StreamedItems* of_pass_ = nullptr;
  std::vector<TokenRow> rows_;  ///< worked out
  std::vector<float> stream_, x_, y_;
  struct Cache {
    std::vector<float> keys, values;  ///< [position][key/value heads][dimension]
  };
  std::vector<std::map<std::int32_t, Cache>> caches_;  ///< by layer and sequence

  double stored_ = 0, all_ = 0;
};

}  // namespace wafermark::llama
