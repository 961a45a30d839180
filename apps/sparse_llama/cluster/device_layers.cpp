#include "sparse_llama/cluster/device_layers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sparse_llama/cluster/lanes.hpp"
#include "sparse_llama/kernels/lane_dots.hpp"

namespace wafermark::llama {
namespace {

constexpr int row_warps = 16;  // of a team that has a whole vector

/// One row of the stream, by a team: where its sequence is in the batch, and the row of its token.
template <class Value>
struct EmbedRow {
  Kokkos::View<TokenRow*, SharedSpace> given;
  Kokkos::View<TokenRow*, MemSpace> rows;
  RowsOf<Value> embedding;
  std::int64_t first_token, tokens;  // of this rank
  Rows stream;
  Kokkos::View<float*, MemSpace> squares;

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t r = team.league_rank();
    const TokenRow row = given(r);
    const std::int64_t own = row.token - first_token, stored = embedding.words * mask_columns;
    const bool here = own >= 0 && own < tokens;
    float sum = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, int(stream.extent(1))),
        [&](int i, float& all) {
          const float x = here ? float(embedding.values[own * stored + i]) *
                                     embedding.scale(own * embedding.groups + i / group_columns)
                               : 0.0f;
          stream(r, i) = x;
          all += x * x;
        },
        sum);
    Kokkos::single(Kokkos::PerTeam(team), [&] {
      rows(r) = row;
      squares(r) = sum;
    });
  }
};

struct SumSquares {
  Rows stream;
  Kokkos::View<float*, MemSpace> squares;

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t r = team.league_rank();
    float sum = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, int(stream.extent(1))),
        [&](int i, float& all) { all += stream(r, i) * stream(r, i); }, sum);
    Kokkos::single(Kokkos::PerTeam(team), [&] { squares(r) = sum; });
  }
};

/// Null where there is none.
const float* pointer(const Kokkos::View<float*, MemSpace>& view) {
  return view.size() > 0 ? view.data() : nullptr;
}

}  // namespace

bool DeviceLayers::suits(const RankWeights& weights) {
  bool all = suits_pairs(weights.embedding);
  weights.each_multiplied([&](const PackedMatrix& m) { all = all && suits_pairs(m); });
  return all;
}

DeviceLayers::DeviceLayers(const RankWeights& weights, const PassArrays& arrays, std::int64_t most_rows,
                           BatchForm form)
    : weights_(weights),
      arrays_(arrays),
      given_("rows given", std::size_t(most_rows)),
      most_rows_(most_rows),
      form_(form),
      most_parts_(attention_.most_parts(std::int64_t(arrays.turns.cosine.extent(0)),
                                        weights.configuration.sliding_window)),
      zeros_("hidden units at zero") {
  // Room for all that comes, so that no token makes any.
  const std::int64_t dim = weights.configuration.dim;
  grow(squares_.sums, most_rows * square_parts(dim));
}

ProductInput DeviceLayers::normed(const Kokkos::View<float*, MemSpace>& weight, std::int64_t n) const {
  return {arrays_.stream.data(),
          std::int64_t(arrays_.stream.stride(0)),
          n,
          weight.data(),
          &squares_,
          float(weights_.configuration.norm_epsilon)};
}

AttentionPass DeviceLayers::pass(std::int64_t layer) const {
  const std::int64_t slots = std::visit([](const auto& cache) { return cache.slots(); }, arrays_.cache);
  const std::int64_t sequences = slots / weights_.configuration.layers;
  return {arrays_.rows, {}, count_, attended_, layer * sequences, weights_.configuration.sliding_window};
}

void DeviceLayers::note(std::span<const TokenRow> rows) {
  const Configuration& c = weights_.configuration;
  if (given_under_way_) Kokkos::fence("before the rows of the next chunk are noted");
  count_ = std::int64_t(rows.size());
  attended_ = 0;
  for (std::int64_t i = 0; i < count_; ++i) {
    const TokenRow& row = given_(i) = rows[std::size_t(i)];
    attended_ += row.position + 1 - c.first_seen(row.position);
  }
  given_under_way_ = true;
}

bool DeviceLayers::calls_library(std::int64_t n) const {
  return form_ == BatchForm::library && BatchProducts::suits(weights_.output_head(), n);
}

std::string DeviceLayers::in_words() const {
  const std::string warps = "warps of a device";
  return batch_ ? fmt::format("{}, from {} vectors {} in bf16", warps, library_from, batch_->library_name())
                : warps;
}

void DeviceLayers::multiply(KernelChain& kernels, const PackedMatrix& m, const ProductInput& in,
                            const ProductOutput& out) {
  if (form_ == BatchForm::library && BatchProducts::suits(m, in.count)) {
    if (!batch_) {
      batch_.emplace(most_rows_);
      const RankLayer& any = weights_.layers.front();
      batch_->make_room(any.query_key_value, PairEnd::store);
      batch_->make_room(any.attention_output, PairEnd::add);
      batch_->make_room(any.gate_up, PairEnd::swiglu);
      batch_->make_room(any.down, PairEnd::add);
      batch_->make_room(weights_.output_head(), PairEnd::store);
    }
    batch_->multiply(kernels, m, in, out);
    if (out.squares != nullptr) stream_changed();
    return;
  }
  if (in.norm != nullptr && squares_.parts == 0) sum_squares(kernels, in.count);
  multiply_pairs(kernels, m, in, out);
}

void DeviceLayers::embed(KernelChain& kernels) {
  squares_.parts = 1;
  const PackedMatrix& m = weights_.embedding;
  if (m.hollow()) {
    std::fill_n(arrays_.stream.data(), count_ * m.columns, 0.0f);
    std::fill_n(squares_.sums.data(), count_, 0.0f);
  }
  announce_bytes(double(count_ * m.columns) * (double(bytes_of(m.value_type)) + sizeof(float)));
  with_value_type(m.value_type, [&]<class Value>(Value) {
    if constexpr (lanes_multiply<Value>) {
      const Share& own = weights_.shares.vocabulary;
      kernels.add("take rows", warps_of_teams(m.hollow() ? 0 : count_, row_warps),
                  EmbedRow<Value>{given_, arrays_.rows, RowsOf<Value>(m), own.first, own.count,
                                  arrays_.stream, squares_.sums});
    }
  });
}

void DeviceLayers::attend(KernelChain& kernels, std::int64_t l, PairEnd end) {
  const RankLayer& w = weights_.layers[std::size_t(l)];
  const PassArrays& a = arrays_;
  const std::int64_t heads = weights_.shares.heads.count;
  const HeadAdjustments adjust{pointer(w.query_key_value_bias), pointer(w.query_norm), pointer(w.key_norm),
                               float(weights_.configuration.norm_epsilon)};
  multiply(kernels, w.query_key_value, normed(w.attention_norm, count_),
           {a.query_key_value.data(), std::int64_t(a.query_key_value.stride(0))});
  place_heads(kernels, pass(l), adjust, a.turns, heads, a.query_key_value, a.cache);
  attention_.attend(kernels, pass(l), most_parts_, heads, a.query_key_value, a.cache, a.attended);
  multiply(kernels, w.attention_output, {a.attended.data(), std::int64_t(a.attended.stride(0)), count_},
           {a.stream.data(), std::int64_t(a.stream.stride(0)), end, &squares_});
}

void DeviceLayers::feed_forward(KernelChain& kernels, std::int64_t l, PairEnd end) {
  const RankLayer& w = weights_.layers[std::size_t(l)];
  const PassArrays& a = arrays_;
  const std::optional<float>& threshold = weights_.activation_threshold;
  multiply(kernels, w.gate_up, normed(w.feed_forward_norm, count_),
           {a.gated.data(), std::int64_t(a.gated.stride(0)), PairEnd::swiglu, nullptr,
            threshold.value_or(-1.0f), zeros_.data()});
  if (threshold) {
    active_product_.multiply(w.down, a.gated, count_, end == PairEnd::add, a.stream);
    return stream_changed();
  }
  multiply(kernels, w.down, {a.gated.data(), std::int64_t(a.gated.stride(0)), count_},
           {a.stream.data(), std::int64_t(a.stream.stride(0)), end, &squares_});
}

void DeviceLayers::sum_squares(KernelChain& kernels, std::int64_t n) {
  squares_.parts = 1;
  const bool hollow = weights_.embedding.hollow();
  if (hollow) std::fill_n(squares_.sums.data(), n, 0.0f);
  announce_bytes(double(n) * double(arrays_.stream.extent(1)) * sizeof(float));
  kernels.add("sum of squares", warps_of_teams(hollow ? 0 : n, row_warps),
              SumSquares{arrays_.stream, squares_.sums});
}

void DeviceLayers::head(KernelChain& kernels, std::int64_t n) {
  multiply(kernels, weights_.output_head(), normed(weights_.final_norm, n),
           {arrays_.logits.data(), std::int64_t(arrays_.logits.stride(0))});
}

std::int64_t DeviceLayers::inactive() const {
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), zeros_)();
}

}  // namespace wafermark::llama
