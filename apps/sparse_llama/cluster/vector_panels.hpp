// What a team prepares of V vectors for its rows: some columns of each, in memory next to its processor,
// normed on the way and, for int8 rows, rounded to integers.
#pragma once

#include "sparse_llama/cluster/lanes.hpp"
#include "sparse_llama/cluster/pair_products.hpp"
#include "sparse_llama/kernels/lane_dots.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"

namespace wafermark::llama {

/// Columns that a team prepares at a time: a mask word for each lane.
inline constexpr std::int64_t panel_words = row_lanes, panel_columns = panel_words * mask_columns,
                              panel_groups = panel_columns / group_columns;
static_assert(group_columns == row_lanes * quad_columns);

/// Where a column of a panel lies. Lanes that each walk a mask word of their own would all meet in the same
/// bank of the team's memory, so words are one element further apart; quads need their alignment.
template <bool masked>
KOKKOS_INLINE_FUNCTION std::int64_t place_in_panel(std::int64_t column) {
  return masked ? column + column / mask_columns : column;
}
inline constexpr std::int64_t panel_stride = panel_columns + panel_words;

template <bool masked, int V, class Value>
struct VectorPanels {
  using X = typename Vectors<Value>::X;
  static constexpr bool int8 = std::is_same_v<Value, std::int8_t>;

  ProductInput in;
  std::int64_t columns;
  const float* squares;  // of `in`
  std::int64_t square_parts;

  VectorPanels(const ProductInput& input, std::int64_t columns_of_row)
      : in(input),
        columns(columns_of_row),
        squares(input.squares == nullptr ? nullptr : input.squares->sums.data()),
        square_parts(input.squares == nullptr ? 0 : input.squares->parts) {}

  /// A team's part of a vector: elements, and their scale for each group.
  struct Panel {
    X* x;
    float* scales;
  };

  static std::int64_t bytes() {
    return team_bytes<X>(V * panel_stride) + team_bytes<float>(V * panel_groups);
  }
  KOKKOS_FUNCTION static Panel room(const Team::member_type& team) {
    return {team_array<X>(team, V * panel_stride), team_array<float>(team, V * panel_groups)};
  }

  /// 1 / rms of each vector, where they are normed.
  KOKKOS_FUNCTION void norm_scales(const Team::member_type& team, std::int64_t first_vector, int vectors,
                                   float (&scales)[V]) const {
    for (int v = 0; v < vectors && in.norm != nullptr; ++v) {
      float sum = 0;
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(square_parts)),
          [&](int part, float& all) { all += squares[(first_vector + v) * square_parts + part]; }, sum);
      scales[v] = rms_scale(sum, columns, in.epsilon);
    }
  }
  KOKKOS_FUNCTION float element(std::int64_t vector, std::int64_t column, float norm_scale) const {
    const float x = in.x[vector * in.stride + column];
    return in.norm == nullptr ? x : x * norm_scale * in.norm[column];
  }

  /// Columns [first, first + n) of the vectors, zeros behind the last.
  KOKKOS_FUNCTION void fill(const Team::member_type& team, const Panel& panel, std::int64_t first_vector,
                            int vectors, const float (&norm)[V], std::int64_t first, std::int64_t n) const {
    for (int v = 0; v < V; ++v) {
      const auto value = [&](std::int64_t c) {
        return v < vectors && first + c < columns ? element(first_vector + v, first + c, norm[v]) : 0.0f;
      };
      X* to = panel.x + v * panel_stride;
      if constexpr (int8)
        Kokkos::parallel_for(
            Kokkos::TeamThreadRange(team, int((n + group_columns - 1) / group_columns)),
            [&](int g) { fill_group(team, g, n, value, to, panel.scales + v * panel_groups); });
      else
        Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(n)),
                             [&](int c) { to[place_in_panel<masked>(c)] = value(c); });
    }
  }
  /// A group as integers, by a warp.
  template <class ValueOf>
  KOKKOS_FUNCTION void fill_group(const Team::member_type& team, int g, std::int64_t n, const ValueOf& value,
                                  X* to, float* scales) const {
    const std::int64_t begin = g * group_columns, end = Kokkos::min(begin + group_columns, n);
    float largest = 0;
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(team, int(end - begin)),
        [&](int c, float& most) { most = Kokkos::max(most, Kokkos::fabs(value(begin + c))); },
        Kokkos::Max<float>(largest));
    const float scale = group_scale(&largest, 1, activation_range), inverse = inverse_or_zero(scale);
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, int(end - begin)), [&](int c) {
      to[place_in_panel<masked>(begin + c)] = quantised<X>(value(begin + c), inverse, activation_range);
    });
    Kokkos::single(Kokkos::PerThread(team), [&] { scales[g] = scale; });
  }
};

}  // namespace wafermark::llama
