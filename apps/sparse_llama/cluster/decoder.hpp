// The forward pass with a key/value cache, tensor-parallel over ranks: prefill, decoding and batches are the
// same pass over rows, where a row is one token of one sequence. Begin reading at forward() in decoder.cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "common/region_timer.hpp"
#include "common/runtime.hpp"
#include "sparse_llama/cluster/active_inputs.hpp"
#include "sparse_llama/cluster/attention_rows.hpp"
#include "sparse_llama/cluster/bf16_products.hpp"
#include "sparse_llama/cluster/device_layers.hpp"
#include "sparse_llama/cluster/device_sums.hpp"
#include "sparse_llama/cluster/matrix_vectors.hpp"
#include "sparse_llama/cluster/rank_weights.hpp"
#include "sparse_llama/model/forward_pass.hpp"

namespace wafermark::llama {

class Decoder final : public ForwardPass {
 public:
  /// Collective. Room for `sequences` sequences of `capacity` tokens each, of windowed models for what their
  /// windows reach, kept as `cache`, of the types that caches hold; none where the weights are hollow, of
  /// which every kernel is started and none computes. Sums over ranks are those of `sums`, MPI's without.
  /// Throws InputError when the cache does not fit into memory, and as choose_bf16_products() and
  /// choose_batch_form() do. The communicator and the weights must outlive the decoder. The device's kernels
  /// run where the weights suit them (DeviceLayers::suits()).
  Decoder(const Communicator& comm, const RankWeights& weights, std::int64_t sequences, std::int64_t capacity,
          RegionTimes& times, KernelForm form = native_form(), ValueType cache = ValueType::fp32,
          std::shared_ptr<DeviceSums> sums = nullptr);

  /// Throws InputError for choices of products in the environment that no run can have, as the constructor
  /// would once the weights are read. Collective.
  static void check_environment(const Communicator& comm);

  /// Rows of a call are run in chunks of `chunk_rows`.
  std::vector<float> forward(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted) override;
  /// By the device's kernels.
  std::optional<std::vector<std::int32_t>> next_tokens(std::span<const TokenRow> rows,
                                                       std::span<const std::int64_t> wanted,
                                                       std::span<const TokenChoice> choices) override;
  /// Since the decoder was made.
  double seconds() const override { return runtime::seconds() - start_; }

  /// Bytes that a token of a sequence at `position` reads on this rank: weights (of `down` those of active
  /// units, by their share so far), keys and values. From the formats' sizes; what the caches of the
  /// processor save is not known.
  double bytes_per_token(std::int64_t position) const;
  /// Hidden units of this rank that were zero, of all so far, for the threshold; 0 without one.
  double inactive_share() const;
  /// For results: the kernels that have multiplied the layers' weights.
  std::string instructions() const;
  /// Bytes of this rank's cache.
  std::int64_t cache_bytes() const;

  static constexpr std::int64_t chunk_rows = 256;

 private:
  /// Positions that a token at `position` attends to.
  std::int64_t seen_by(std::int64_t position) const {
    return position + 1 - weights_.configuration.first_seen(position);
  }
  /// Throws InputError where a token is none of the vocabulary.
  void expect_tokens(std::span<const TokenRow> rows) const;
  /// Calls use(n, done) when logits_ holds those of wanted rows [done, done + n); runs the rows in chunks.
  void run(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted,
           const std::function<void(std::int64_t n, std::int64_t done)>& use);
  void run_chunk(std::span<const TokenRow> rows);
  /// The layers over the n rows that device_ has noted.
  void run_on_device(KernelChain& kernels, std::int64_t n);
  /// Whether all of a call can be one graph: every row draws a token, and one rank has the whole model, so
  /// that no sum over ranks comes between kernels.
  bool suits_graph(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted) const;
  void submit_graph(std::span<const TokenRow> rows);
  void head(KernelChain& kernels, std::int64_t n, bool moved);
  void block(std::int64_t layer, std::int64_t n);
  void sum_over_ranks(const Rows& x, std::int64_t n);
  /// Of n rows of logits_, all_logits_.
  void join_logits(std::int64_t n);

  const Communicator& comm_;
  const RankWeights& weights_;
  std::shared_ptr<DeviceSums> sums_;
  RegionTimes& times_;
  std::int64_t sequences_, places_;  ///< places of the cache: positions that a sequence has room for
  ValueType cache_type_;
  double start_ = runtime::seconds();
  std::int64_t positions_ = 0;  ///< positions that the rows of this chunk attend to, together
  std::vector<RowRun> runs_;    ///< of these rows
  Bf16Choice bf16_;
  BatchForm batch_;
  MatrixVectors product_;
  ActiveInputs active_product_;
  std::int64_t inactive_ = 0, hidden_seen_ = 0;
  Turns turns_;
  KeyValueCache cache_;
  Kokkos::View<TokenRow*, MemSpace> rows_;
  Kokkos::View<std::int64_t*, MemSpace> token_rows_;  ///< of the embedding, -1: another rank's
  Rows stream_, normed_, query_key_value_, attended_, gate_up_, gated_, logits_;
  Rows all_logits_;  ///< of several ranks that draw by weights: the whole vocabulary's
  std::optional<DeviceLayers> device_;
  std::optional<TokenChooser> chooser_;
  /// By rows, and whether tokens are drawn by weights: what a call starts, once it has been made. None behind
  /// the first call of those whose kernels had to be started before.
  std::map<std::pair<std::int64_t, bool>, std::optional<KernelGraph>> graphs_;
};

}  // namespace wafermark::llama
