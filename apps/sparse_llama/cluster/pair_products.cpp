#include "sparse_llama/cluster/pair_products.hpp"

#include "sparse_llama/cluster/vector_panels.hpp"

namespace wafermark::llama {
namespace {

constexpr int pair_warps = 8;  // of a team on a device: rows that share what is prepared of a vector
constexpr std::int64_t pairs_of_team = on_cpu ? 1 : pair_warps;
constexpr int most_vectors = 4;  // that share a pass over a row

/// A pair of rows for V vectors, by a warp.
template <Layout layout, int V, class Value>
struct PairTimesVectors {
  static constexpr bool int8 = std::is_same_v<Value, std::int8_t>, masked = layout == Layout::masked,
                        in_panels = layout != Layout::listed;

  using Panels = VectorPanels<masked, V, Value>;
  using Panel = typename Panels::Panel;

  RowsOf<Value> m;
  std::int64_t rows, all_vectors, blocks;  // blocks of V vectors
  Panels in;
  ProductOutput out;
  float* new_squares;
  std::int64_t new_parts;

  static std::int64_t bytes_of_team() {
    return (in_panels ? Panels::bytes() : 0) + team_bytes<float>(V * pairs_of_team);
  }
  KOKKOS_FUNCTION std::int64_t pairs() const {
    return out.end == PairEnd::swiglu ? rows / 2 : (rows + 1) / 2;
  }
  std::int64_t teams() const { return (pairs() + pairs_of_team - 1) / pairs_of_team * blocks; }

  KOKKOS_FUNCTION std::int64_t row_of_pair(std::int64_t pair, int q) const {
    return out.end == PairEnd::swiglu ? pair + q * (rows / 2) : 2 * pair + q;
  }

  /// sums[v * 2 + q] += what a lane has summed of row q within a group of columns of the panel.
  KOKKOS_FUNCTION void add(const DotSum<Value> (&of_lane)[V], int q, std::int64_t r, std::int64_t first_word,
                           int group, const Panel& panel, LaneSums<2 * V>& sums) const {
    for (int v = 0; v < V; ++v)
      if constexpr (int8)
        sums.at[v * 2 + q] += float(of_lane[v]) *
                              m.scale(r * m.groups + first_word * mask_columns / group_columns + group) *
                              panel.scales[v * panel_groups + group];
      else
        sums.at[v * 2 + q] += of_lane[v];
  }

  /// The pair's words [first, first + n) of a masked matrix; `values`: where theirs begin, and then end.
  KOKKOS_FUNCTION void masked_panel(const Team::member_type& team, const std::int64_t (&r)[2], int count,
                                    std::int64_t first, int n, const Panel& panel, std::int64_t (&values)[2],
                                    LaneValue<LaneSums<2 * V>>& sums) const {
    // Both rows' masks are under way at once, and one scan says where each lane's values are: a panel has at
    // most 2^11 of a row.
    LaneValue<MaskWord> masks[2];
    LaneValue<std::uint32_t> before;
    std::uint32_t all = 0;
    constexpr int bits = 16;
    Kokkos::parallel_scan(
        Kokkos::ThreadVectorRange(team, row_lanes),
        [&](int lane, std::uint32_t& sum, bool final) {
          MaskWord word[2] = {0, 0};
          for (int q = 0; q < count; ++q)
            if (lane < n) word[q] = m.mask[r[q] * m.words + first + lane];
          if (final) {
            for (int q = 0; q < 2; ++q) masks[q](lane) = word[q];
            before(lane) = sum;
          }
          sum += std::uint32_t(Kokkos::popcount(word[0])) | std::uint32_t(Kokkos::popcount(word[1])) << bits;
        },
        all);
    constexpr std::uint32_t low = (1u << bits) - 1;
    each_lane(team, [&](int lane) {
      const ValueStream<Value> streams[2] = {
          ValueStream<Value>(m.values + values[0] + (before(lane) & low)),
          ValueStream<Value>(m.values + values[1] + (before(lane) >> bits))};
      for (int q = 0; q < 2; ++q) {
        DotSum<Value> own[V] = {};
        if (masks[q](lane) == 0) continue;
        word_dots<V, Value>(masks[q](lane), streams[q], panel.x + place_in_panel<true>(lane * mask_columns),
                            panel_stride, own);
        add(own, q, r[q], first, int(lane * mask_columns / group_columns), panel, sums(lane));
      }
    });
    values[0] += all & low;
    values[1] += all >> bits;
  }

  /// The same of dense rows: with every step a warp takes a group of columns.
  KOKKOS_FUNCTION void whole_panel(const Team::member_type& team, const std::int64_t (&r)[2], int count,
                                   std::int64_t first, int n, const Panel& panel,
                                   LaneValue<LaneSums<2 * V>>& sums) const {
    const std::int64_t stored = m.words * mask_columns, from = first * mask_columns;
    each_lane(team, [&](int lane) {
      WAFERMARK_UNROLL
      for (int g = 0; g < int(panel_groups); ++g) {
        const std::int64_t c = g * group_columns + lane * quad_columns;
        if (c >= n * mask_columns) break;
        for (int q = 0; q < 2; ++q) {
          if (q == count) break;
          DotSum<Value> own[V] = {};
          quad_dots<V, Value>(quad_at(m.values + r[q] * stored + from + c), panel.x + c, panel_stride, own);
          add(own, q, r[q], first, g, panel, sums(lane));
        }
      }
    });
  }

  /// All of a pair's listed columns; of the vectors, which are not rounded, each lane fetches what it meets.
  KOKKOS_FUNCTION void listed_row(const Team::member_type& team, int q, std::int64_t r,
                                  std::int64_t first_vector, int vectors, const float (&norm)[V],
                                  LaneValue<LaneSums<2 * V>>& sums) const {
    const std::int64_t begin = m.slice_start[r], n = m.slice_start[r + 1] - begin;
    each_lane(team, [&](int lane) {
      for (std::int64_t k = lane; k < n; k += row_lanes) {
        float value = float(m.values[begin + k]);
        if constexpr (int8) value *= m.scale(m.scale_start[r] + k / group_columns);
        for (int v = 0; v < vectors; ++v)
          sums(lane).at[v * 2 + q] += value * in.element(first_vector + v, m.column[begin + k], norm[v]);
      }
    });
  }

  /// Puts the sums of a pair for one vector where they belong; returns the square of what is there now.
  KOKKOS_FUNCTION float finish(std::int64_t pair, int count, std::int64_t vector, float a, float b) const {
    float* to = out.out + vector * out.stride;
    if (out.end == PairEnd::swiglu) {
      to[pair] = hidden_unit(a, b, out);
      return 0.0f;
    }
    float of_new = 0;
    for (int q = 0; q < count; ++q) {
      float& at = to[row_of_pair(pair, q)];
      at = (q == 0 ? a : b) + (out.end == PairEnd::add ? at : 0.0f);
      of_new += at * at;
    }
    return of_new;
  }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t vector_block = team.league_rank() % blocks, part = team.league_rank() / blocks,
                       pair = part * team.team_size() + team.team_rank(), first_vector = vector_block * V;
    const int vectors = int(Kokkos::min(std::int64_t(V), all_vectors - first_vector));
    Panel panel{};
    if constexpr (in_panels) panel = Panels::room(team);
    float* const team_squares = team_array<float>(team, V * pairs_of_team);
    const std::int64_t r[2] = {row_of_pair(pair, 0), row_of_pair(pair, 1)};
    const int count = pair >= pairs() ? 0 : r[1] < rows ? 2 : 1;  // rows of this warp
    float norm[V];
    in.norm_scales(team, first_vector, vectors, norm);
    LaneValue<LaneSums<2 * V>> sums;
    if constexpr (in_panels) {
      std::int64_t values[2] = {0, 0};
      for (int q = 0; q < count && masked; ++q) values[q] = m.slice_start[r[q]];
      for (std::int64_t first = 0; first < m.words; first += panel_words) {
        const int n = int(Kokkos::min(m.words - first, std::int64_t(panel_words)));
        if (first > 0) team.team_barrier();  // no warp reads the panel before
        in.fill(team, panel, first_vector, vectors, norm, first * mask_columns, n * mask_columns);
        team.team_barrier();
        if (count == 0) continue;
        if constexpr (masked)
          masked_panel(team, r, count, first, n, panel, values, sums);
        else
          whole_panel(team, r, count, first, n, panel, sums);
      }
    } else {
      for (int q = 0; q < count; ++q) listed_row(team, q, r[q], first_vector, vectors, norm, sums);
    }
    LaneSums<2 * V> total;
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(team, row_lanes),
        [&](int lane, LaneSums<2 * V>& all) { all += sums(lane); }, total);
    Kokkos::single(Kokkos::PerThread(team), [&] {
      for (int v = 0; v < V; ++v)
        team_squares[v * pairs_of_team + team.team_rank()] =
            v < vectors && count > 0
                ? finish(pair, count, first_vector + v, total.at[v * 2], total.at[v * 2 + 1])
                : 0.0f;
    });
    if (new_squares == nullptr) return;
    team.team_barrier();
    Kokkos::single(Kokkos::PerTeam(team), [&] {
      for (int v = 0; v < vectors; ++v) {
        float sum = 0;
        for (std::int64_t w = 0; w < pairs_of_team; ++w) sum += team_squares[v * pairs_of_team + w];
        new_squares[(first_vector + v) * new_parts + part] = sum;
      }
    });
  }
};

template <Layout layout, int V, class Value>
void add(KernelChain& kernels, const PackedMatrix& m, const ProductInput& in, const ProductOutput& out) {
  const PairTimesVectors<layout, V, Value> body{RowsOf<Value>(m),
                                                m.rows,
                                                in.count,
                                                (in.count + V - 1) / V,
                                                {in, m.columns},
                                                out,
                                                out.squares == nullptr ? nullptr : out.squares->sums.data(),
                                                out.squares == nullptr ? 0 : out.squares->parts};
  kernels.add("matrix x vectors",
              warps_of_teams(m.hollow() ? 0 : body.teams(), pair_warps, body.bytes_of_team()), body);
}

template <Layout layout, class Value>
void add(KernelChain& kernels, const PackedMatrix& m, const ProductInput& in, const ProductOutput& out) {
  if (in.count == 1)
    add<layout, 1, Value>(kernels, m, in, out);
  else
    add<layout, most_vectors, Value>(kernels, m, in, out);
}

/// What comes of a hollow matrix: zeros, so that all later numbers are the same on every machine.
void put_zeros(const PackedMatrix& m, std::int64_t vectors, const ProductOutput& out) {
  const std::int64_t columns = out.end == PairEnd::swiglu ? m.rows / 2 : m.rows;
  for (std::int64_t v = 0; v < vectors && out.end != PairEnd::add; ++v)
    std::fill_n(out.out + v * out.stride, columns, 0.0f);
  if (out.squares != nullptr) std::fill_n(out.squares->sums.data(), vectors * out.squares->parts, 0.0f);
}

}  // namespace

bool suits_pairs(const PackedMatrix& m) {
  bool suits = false;
  with_value_type(m.value_type, [&]<class Value>(Value) { suits = m.slice == 1 && lanes_multiply<Value>; });
  return suits;
}

std::int64_t square_parts(std::int64_t rows) { return ((rows + 1) / 2 + pairs_of_team - 1) / pairs_of_team; }

void multiply_pairs(KernelChain& kernels, const PackedMatrix& m, const ProductInput& in,
                    const ProductOutput& out) {
  if (out.squares != nullptr) {
    out.squares->parts = square_parts(m.rows);
    grow(out.squares->sums, in.count * out.squares->parts);
  }
  if (m.hollow()) put_zeros(m, in.count, out);
  announce_bytes(double(m.bytes()) + double(in.count) *
                                         double(m.columns + (out.end == PairEnd::add ? 2 : 1) * m.rows) *
                                         sizeof(float));
  with_value_type(m.value_type, [&]<class Value>(Value) {
    if constexpr (lanes_multiply<Value>) {
      switch (row_of(m.format).layout) {
        case Layout::whole:
          return add<Layout::whole, Value>(kernels, m, in, out);
        case Layout::listed:
          return add<Layout::listed, Value>(kernels, m, in, out);
        case Layout::masked:
          return add<Layout::masked, Value>(kernels, m, in, out);
      }
    }
  });
}

}  // namespace wafermark::llama
