#include "sparse_llama/cluster/decoder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "sparse_llama/cluster/loops.hpp"
#include "sparse_llama/kernels/hard_threshold.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/rope.hpp"
#include "sparse_llama/kernels/sampling.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/rope_table.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

/// y = RMSNorm(x) of the first n rows.
void norm_rows(const Rows& x, const Kokkos::View<float*, MemSpace>& weight, float epsilon, std::int64_t n,
               const Rows& y) {
  const auto dim = std::int64_t(x.extent(1));
  announce_bytes(double((2 * n + 1) * dim) * sizeof(float));
  row_loop(
      "norm", n == 1, n, KOKKOS_LAMBDA(std::int64_t r) {
        const float scale = rms_scale(&x(r, 0), dim, epsilon);
        for (std::int64_t i = 0; i < dim; ++i) y(r, i) = x(r, i) * scale * weight(i);
      });
}

/// Adds the biases and norms the heads of queries and keys, where the model has such, of n rows.
void adjust_heads(const Rows& qkv, const RankLayer& w, float epsilon, std::int64_t heads,
                  std::int64_t kv_heads, std::int64_t head_dim, std::int64_t n) {
  const Kokkos::View<float*, MemSpace> bias = w.query_key_value_bias, query_norm = w.query_norm,
                                       key_norm = w.key_norm;
  const bool biased = bias.size() > 0, normed = query_norm.size() > 0;
  if (!biased && !normed) return;
  const std::int64_t all = heads + 2 * kv_heads;
  announce_bytes(double(2 * n * all * head_dim) * sizeof(float));
  row_loop(
      "biases and norms of heads", n == 1, n * all, KOKKOS_LAMBDA(std::int64_t k) {
        const std::int64_t r = k / all, h = k % all;
        float* head = &qkv(r, h * head_dim);
        if (biased)
          for (std::int64_t i = 0; i < head_dim; ++i) head[i] += bias(h * head_dim + i);
        if (normed && h < heads + kv_heads)
          rms_norm_in_place(head, h < heads ? query_norm.data() : key_norm.data(), head_dim, epsilon);
      });
}

/// Turns the queries of n rows, and stores their turned keys and their values in the cache of a layer.
template <class Cached>
void rotate_and_store(const Rows& qkv, const Kokkos::View<TokenRow*, MemSpace>& rows, const Turns& turns,
                      std::int64_t heads, std::int64_t n, std::int64_t first_slot,
                      const CacheArrays<Cached>& cache) {
  const std::int64_t kv_heads = cache.kv_heads(), head_dim = cache.head_dim(), half = head_dim / 2,
                     all = heads + 2 * kv_heads;
  // Elements of one key lie a cache line apart, and none of its lines is cached: much to wait for.
  const bool little = n == 1 && kv_heads * head_dim <= 1024;
  announce_bytes(bytes_of_placing(cache, heads, n));
  row_loop(
      "rope", little, cache.empty() ? 0 : n * all, KOKKOS_LAMBDA(std::int64_t k) {
        const std::int64_t r = k / all, h = k % all, position = rows(r).position;
        const std::int64_t slot = first_slot + rows(r).sequence,
                           kv = h < heads + kv_heads ? h - heads : h - heads - kv_heads;
        float* head = &qkv(r, h * head_dim);
        if (h < heads + kv_heads)
          for (std::int64_t i = 0; i < half; ++i)
            rope_rotate(head[i], head[i + half], turns.cosine(position, i), turns.sine(position, i));
        if (h < heads) return;
        if (h < heads + kv_heads)
          store_key(head, position, head_dim, cache.head(slot, kv));
        else
          store_value(head, position, head_dim, cache.head(slot, kv));
      });
}

void swiglu_rows(const Rows& gate_up, std::int64_t n, const Rows& out) {
  const auto hidden = std::int64_t(out.extent(1));
  announce_bytes(double(3 * n * hidden) * sizeof(float));
  constexpr std::int64_t piece =
      host_reads_device ? 512 : 1;  // hosts compute several columns in one instruction
  const std::int64_t pieces = (hidden + piece - 1) / piece;
  row_loop(
      "swiglu", n == 1, n * pieces, KOKKOS_LAMBDA(std::int64_t k) {
        const std::int64_t r = k / pieces, first = k % pieces * piece;
        const float *gate = &gate_up(r, 0), *up = gate + hidden;
        float* to = &out(r, 0);
        for (std::int64_t i = first; i < Kokkos::min(first + piece, hidden); ++i)
          to[i] = swiglu(gate[i], up[i]);
      });
}

/// Sets what is at most `threshold` in size to zero; returns how many of the n rows' elements then are.
std::int64_t drop_small(const Rows& x, std::int64_t n, float threshold) {
  const auto columns = std::int64_t(x.extent(1));
  std::int64_t zeros = 0;
  Kokkos::parallel_reduce(
      "threshold", IndexRange(0, n * columns),
      KOKKOS_LAMBDA(std::int64_t k, std::int64_t & sum) {
        float& value = x(k / columns, k % columns);
        value = hard_threshold(value, threshold);
        sum += value == 0.0f;
      },
      zeros);
  return zeros;
}

/// Of n rows: the logits of a rank's share in their places of the whole vocabulary, zeros around them.
void place_logits(const Rows& own, const Share& share, std::int64_t n, const Rows& all) {
  const auto vocabulary = std::int64_t(all.extent(1)), first = share.first, count = share.count;
  announce_bytes(double(n * (vocabulary + count)) * sizeof(float));
  row_loop(
      "place logits", false, n * vocabulary, KOKKOS_LAMBDA(std::int64_t k) {
        const std::int64_t r = k / vocabulary, token = k % vocabulary, i = token - first;
        all(r, token) = i >= 0 && i < count ? own(r, i) : 0.0f;
      });
}

}  // namespace

Decoder::Decoder(const Communicator& comm, const RankWeights& weights, std::int64_t sequences,
                 std::int64_t capacity, RegionTimes& times, KernelForm form, ValueType cache,
                 std::shared_ptr<DeviceSums> sums)
    : comm_(comm),
      weights_(weights),
      sums_(sums ? std::move(sums) : mpi_sums(comm, "the default")),
      times_(times),
      sequences_(sequences),
      places_(std::int64_t(cached_positions(weights.configuration, double(capacity), double(chunk_rows)))),
      cache_type_(cache),
      bf16_(choose_bf16_products(comm)),
      batch_(choose_batch_form(comm)),
      product_(bf16_.products) {
  const Configuration& c = weights.configuration;
  const Shares& s = weights.shares;
  try {
    const std::int64_t places = weights.embedding.hollow() ? 0 : places_;
    cache_ = key_value_cache(cache, c.layers * sequences, s.kv_heads.count, places, c.head_dim);
  } catch (const std::exception&) {
    throw InputError(
        fmt::format("no room for a cache of {} sequences of {} tokens, expected fewer", sequences, capacity));
  }
  const RopeTable<float> turns(c, capacity);
  const auto to_device = [&](const std::vector<float>& values) {
    const Kokkos::View<const float**, Kokkos::LayoutRight, Kokkos::HostSpace,
                       Kokkos::MemoryTraits<Kokkos::Unmanaged>>
        host(values.data(), std::size_t(capacity), std::size_t(turns.half));
    const Kokkos::View<float**, Kokkos::LayoutRight, MemSpace> device("turns", std::size_t(capacity),
                                                                      std::size_t(turns.half));
    Kokkos::deep_copy(device, host);
    return device;
  };
  turns_ = {to_device(turns.cosine), to_device(turns.sine)};
  rows_ = Kokkos::View<TokenRow*, MemSpace>("rows", std::size_t(chunk_rows));
  token_rows_ = Kokkos::View<std::int64_t*, MemSpace>("rows of the embedding", std::size_t(chunk_rows));
  const std::int64_t query = s.heads.count * c.head_dim, kv = s.kv_heads.count * c.head_dim;
  const auto rows = [](const char* name, std::int64_t columns) {
    return Rows(Kokkos::view_alloc(std::string(name), Kokkos::WithoutInitializing), std::size_t(chunk_rows),
                std::size_t(columns));
  };
  stream_ = rows("stream", c.dim);
  query_key_value_ = rows("query, key, value", query + 2 * kv);
  attended_ = rows("attended", query);
  gated_ = rows("gated", s.hidden.count);
  logits_ = rows("logits", s.vocabulary.count);
  if (form == KernelForm::device && DeviceLayers::suits(weights)) {
    const PassArrays arrays{stream_, query_key_value_, attended_, gated_, logits_, rows_, cache_, turns_};
    device_.emplace(weights, arrays, chunk_rows, batch_);
    chooser_.emplace(sequences);
    return;
  }
  normed_ = rows("normed", c.dim);
  gate_up_ = rows("gate, up", 2 * s.hidden.count);
}

std::string Decoder::instructions() const {
  if (device_) return device_->in_words();
  return host_reads_device ? instructions_for(weights_.layers.front().down, bf16_) : "a warp a row";
}

double Decoder::inactive_share() const {
  if (hidden_seen_ == 0) return 0.0;
  return double(device_ ? device_->inactive() : inactive_) / double(hidden_seen_);
}

std::int64_t Decoder::cache_bytes() const {
  const Configuration& c = weights_.configuration;
  return c.layers * sequences_ * weights_.shares.kv_heads.count * places_ *
         cached_bytes(cache_type_, c.head_dim);
}

double Decoder::bytes_per_token(std::int64_t position) const {
  const Configuration& c = weights_.configuration;
  double bytes = double(c.layers * weights_.shares.kv_heads.count * seen_by(position) *
                        cached_bytes(cache_type_, c.head_dim));
  weights_.each_multiplied([&](const PackedMatrix& m) { bytes += double(m.bytes()); });
  for (const RankLayer& layer : weights_.layers) bytes -= inactive_share() * double(layer.down.bytes());
  return bytes;
}

void Decoder::sum_over_ranks(const Rows& x, std::int64_t n) {
  if (comm_.size() == 1) return;
  const Region region(times_, "sum over ranks");
  sums_->sum_in_place(x.data(), n * std::int64_t(x.extent(1)));
}

void Decoder::join_logits(std::int64_t n) {
  place_logits(logits_, weights_.shares.vocabulary, weights_.embedding.hollow() ? 0 : n, all_logits_);
  sum_over_ranks(all_logits_, n);
}

void Decoder::block(std::int64_t l, std::int64_t n) {
  const RankLayer& w = weights_.layers[std::size_t(l)];
  const auto epsilon = float(weights_.configuration.norm_epsilon);
  const std::int64_t heads = weights_.shares.heads.count, slot = l * sequences_;
  // Rank 0 adds its partial sums to the residual stream, the others put theirs in its place: their sum over
  // ranks is the new stream.
  const bool keeps_stream = comm_.is_root();
  norm_rows(stream_, w.attention_norm, epsilon, n, normed_);
  {
    const Region region(times_, "matrices");
    product_.multiply(w.query_key_value, normed_, n, false, query_key_value_);
  }
  {
    const Region region(times_, "attention");
    adjust_heads(query_key_value_, w, epsilon, heads, weights_.shares.kv_heads.count,
                 weights_.configuration.head_dim, n);
    std::visit(
        [&](const auto& arrays) {
          rotate_and_store(query_key_value_, rows_, turns_, heads, n, slot, arrays);
        },
        cache_);
    attend_rows({rows_, runs_, n, positions_, slot, weights_.configuration.sliding_window}, query_key_value_,
                heads, cache_, attended_);
  }
  {
    const Region region(times_, "matrices");
    product_.multiply(w.attention_output, attended_, n, keeps_stream, stream_);
  }
  sum_over_ranks(stream_, n);
  norm_rows(stream_, w.feed_forward_norm, epsilon, n, normed_);
  {
    const Region region(times_, "matrices");
    product_.multiply(w.gate_up, normed_, n, false, gate_up_);
  }
  swiglu_rows(gate_up_, n, gated_);
  if (weights_.activation_threshold) {
    inactive_ += drop_small(gated_, n, *weights_.activation_threshold);
    hidden_seen_ += n * weights_.shares.hidden.count;
    const Region region(times_, "matrices");
    active_product_.multiply(w.down, gated_, n, keeps_stream, stream_);
  } else {
    const Region region(times_, "matrices");
    product_.multiply(w.down, gated_, n, keeps_stream, stream_);
  }
  sum_over_ranks(stream_, n);
}

void Decoder::run_chunk(std::span<const TokenRow> rows) {
  const auto n = std::int64_t(rows.size());
  const Share share = weights_.shares.vocabulary;
  const auto host_rows = Kokkos::create_mirror_view(rows_);
  const auto host_tokens = Kokkos::create_mirror_view(token_rows_);
  positions_ = 0;
  runs_ = runs_of_rows(rows, weights_.shares.heads.count / weights_.shares.kv_heads.count);
  for (std::int64_t i = 0; i < n; ++i) {
    host_rows(i) = rows[std::size_t(i)];
    positions_ += seen_by(host_rows(i).position);
    const std::int64_t own = host_rows(i).token - share.first;
    host_tokens(i) = own >= 0 && own < share.count ? own : -1;
  }
  Kokkos::deep_copy(rows_, host_rows);
  Kokkos::deep_copy(token_rows_, host_tokens);
  MatrixVectors::take_rows(weights_.embedding, token_rows_, n, stream_);
  sum_over_ranks(stream_, n);
  for (std::int64_t l = 0; l < weights_.configuration.layers; ++l) block(l, n);
}

void Decoder::run_on_device(KernelChain& kernels, std::int64_t n) {
  const bool alone = comm_.size() == 1;
  const PairEnd end = comm_.is_root() ? PairEnd::add : PairEnd::store;  // as in block()
  const auto join = [&] {
    if (alone) return;
    sum_over_ranks(stream_, n);
    device_->stream_changed();
  };
  device_->embed(kernels);
  join();
  for (std::int64_t l = 0; l < weights_.configuration.layers; ++l) {
    {
      const Region region(times_, "attention");
      device_->attend(kernels, l, end);
    }
    join();
    {
      const Region region(times_, "feed forward");
      device_->feed_forward(kernels, l, end);
    }
    join();
  }
  if (weights_.activation_threshold)
    hidden_seen_ += weights_.configuration.layers * n * weights_.shares.hidden.count;
}

bool Decoder::suits_graph(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted) const {
  // Simulated workers are charged for each kernel that they start; a threshold's product has loops of its
  // own.
  const auto n = std::int64_t(rows.size());
  return graphs_take_teams && comm_.size() == 1 && !runtime::charges_kernels() &&
         !weights_.embedding.hollow() && !weights_.activation_threshold && wanted.size() == rows.size() &&
         n <= chunk_rows && (graphs_take_calls || !device_->calls_library(n));
}

void Decoder::submit_graph(std::span<const TokenRow> rows) {
  expect_tokens(rows);
  const auto n = std::int64_t(rows.size());
  device_->note(rows);
  const auto fill = [&](KernelChain& kernels) {
    run_on_device(kernels, n);
    head(kernels, n, false);
    chooser_->draw(kernels, 0, n, logits_, weights_.shares.vocabulary.first, false);
  };
  const auto [place, first] = graphs_.try_emplace({n, chooser_->weighted()});
  std::optional<KernelGraph>& graph = place->second;
  if (first && device_->calls_library(n)) {  // which loads kernels at their first call; not into a graph
    KernelChain kernels;
    return fill(kernels);
  }
  if (!graph) graph.emplace(fill);
  const Region region(times_, "graph of a token");
  graph->submit();
}

void Decoder::head(KernelChain& kernels, std::int64_t n, bool moved) {
  const Region region(times_, "output head");
  if (device_) {
    if (moved) device_->stream_changed();
    return device_->head(kernels, n);
  }
  norm_rows(stream_, weights_.final_norm, float(weights_.configuration.norm_epsilon), n, normed_);
  product_.multiply(weights_.output_head(), normed_, n, false, logits_);
}

void Decoder::expect_tokens(std::span<const TokenRow> rows) const {
  for (const TokenRow& row : rows)
    expect_rows(std::span(&row.token, 1), weights_.configuration.vocabulary, "prompt");
}

void Decoder::run(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted,
                  const std::function<void(std::int64_t, std::int64_t)>& use) {
  expect_tokens(rows);
  KernelChain kernels;
  std::int64_t done = 0;  // of `wanted`, which rises
  for (std::int64_t first = 0; first < std::int64_t(rows.size()); first += chunk_rows) {
    const auto chunk =
        rows.subspan(std::size_t(first), std::min(std::size_t(chunk_rows), rows.size() - std::size_t(first)));
    if (device_) {
      device_->note(chunk);
      run_on_device(kernels, std::int64_t(chunk.size()));
    } else {
      run_chunk(chunk);
    }
    // The wanted rows of the chunk move to its front, in order.
    std::int64_t n = 0;
    bool moved = false;
    for (; done + n < std::int64_t(wanted.size()); ++n) {
      const std::int64_t row = wanted[std::size_t(done + n)] - first;
      if (row >= std::int64_t(chunk.size())) break;
      if (row == n) continue;
      Kokkos::deep_copy(ExecSpace(), Kokkos::subview(stream_, n, Kokkos::ALL),
                        Kokkos::subview(stream_, row, Kokkos::ALL));
      moved = true;
    }
    if (n == 0) continue;
    head(kernels, n, moved);
    use(n, done);
    done += n;
  }
}

void Decoder::check_environment(const Communicator& comm) {
  choose_bf16_products(comm);
  choose_batch_form(comm);
}

std::vector<float> Decoder::forward(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted) {
  const Configuration& c = weights_.configuration;
  std::vector<float> logits(wanted.size() * std::size_t(c.vocabulary));
  const std::vector<std::int64_t> shares = comm_.all_gather(weights_.shares.vocabulary.count);
  run(rows, wanted, [&](std::int64_t n, std::int64_t done) {
    const auto host = Kokkos::create_mirror_view_and_copy(
        Kokkos::HostSpace(), Kokkos::subview(logits_, Kokkos::make_pair(std::int64_t(0), n), Kokkos::ALL));
    const std::vector<float> all =
        comm_.all_gather(std::vector<float>(host.data(), host.data() + host.size()));
    const float* part = all.data();  // ranks' parts one after the other: [rank][wanted][own vocabulary]
    std::int64_t at = 0;
    for (const std::int64_t count : shares) {
      for (std::int64_t i = 0; i < n; ++i, part += count)
        std::copy_n(part, count, logits.data() + (done + i) * c.vocabulary + at);
      at += count;
    }
  });
  return logits;
}

std::optional<std::vector<std::int32_t>> Decoder::next_tokens(std::span<const TokenRow> rows,
                                                              std::span<const std::int64_t> wanted,
                                                              std::span<const TokenChoice> choices) {
  if (!device_ || std::int64_t(wanted.size()) > chooser_->room()) return std::nullopt;
  chooser_->note(choices);
  // Of several ranks' parts of a vocabulary the largest logits can be compared; a nucleus needs them all.
  const bool joined = comm_.size() > 1 && chooser_->weighted();
  const bool hollow = weights_.embedding.hollow();
  if (joined && all_logits_.size() == 0)
    all_logits_ = Rows("all logits", std::size_t(std::min(chooser_->room(), chunk_rows)),
                       std::size_t(weights_.configuration.vocabulary));
  if (suits_graph(rows, wanted)) {
    submit_graph(rows);
  } else {
    run(rows, wanted, [&](std::int64_t n, std::int64_t done) {
      KernelChain kernels;
      if (joined) join_logits(n);
      chooser_->draw(kernels, done, n, joined ? all_logits_ : logits_,
                     joined ? 0 : weights_.shares.vocabulary.first, hollow);
    });
  }
  Kokkos::fence("for the tokens");
  device_->waited();
  const auto n = std::int64_t(wanted.size());
  if (comm_.size() > 1) comm_.max_in_place(chooser_->ranked(), n);
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < n; ++i) tokens.push_back(std::int32_t(token_of_rank(chooser_->ranked()[i])));
  return tokens;
}

}  // namespace wafermark::llama
