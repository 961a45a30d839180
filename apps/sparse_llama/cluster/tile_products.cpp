#include "sparse_llama/cluster/tile_products.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sparse_llama/cluster/grouped_vectors.hpp"
#include "sparse_llama/cluster/loops.hpp"
#include "sparse_llama/cluster/matrix_unit.hpp"

namespace wafermark::llama {
namespace {

/// Vectors side by side, whose sums stay in registers: int8 has two for each, int4 with AVX2 alone two of
/// sixteen.
template <class Value>
constexpr int most_side_by_side = std::is_same_v<Value, std::int8_t>                     ? 12
                                  : std::is_same_v<Value, Int4Pair> && !host_likes_tiles ? 4
                                                                                         : 16;
/// Blocks that one pass over the matrix serves, while a tile stays in the first cache.
constexpr std::int64_t blocks_of_pass = 4;

/// Vectors in blocks as equal as can be: those of block b are [first(b), first(b + 1)).
struct VectorBlocks {
  std::int64_t vectors, count;

  KOKKOS_INLINE_FUNCTION std::int64_t first(std::int64_t b) const { return vectors * b / count; }
  KOKKOS_INLINE_FUNCTION std::int64_t of(std::int64_t v) const { return ((v + 1) * count - 1) / vectors; }
};

/// Puts one group of 128 elements of a vector into its place in its block.
template <class Value>
struct ArrangeTileGroup {
  using X = typename TileVectors<Value>::X;
  static constexpr std::int64_t elements = TileVectors<Value>::elements / tile_columns;  // for a column
  GroupedVectors<Value> vectors;
  std::int64_t padded;
  VectorBlocks blocks;
  X* arranged;
  std::int32_t* sums;

  KOKKOS_FUNCTION void operator()(std::int64_t k) const {
    const std::int64_t v = k / vectors.groups, b = blocks.of(v), begin = blocks.first(b),
                       N = blocks.first(b + 1) - begin;
    std::int32_t sum = 0;
    vectors.each_word(k, [&](std::int64_t j, const float* word, float inverse) {
      X* to = arranged + (begin * padded + j * N) * elements + (v - begin) * TileVectors<Value>::elements;
      sum += arrange(word, inverse, int(N), to);
    });
    if constexpr (is_scaled<Value>) sums[k] = sum;
  }
  KOKKOS_FUNCTION std::int32_t arrange(const float* word, float inverse, int N, X* to) const {
    if constexpr (host_reads_device)
      return host::arrange_for_tiles<Value>(word, inverse, N, to);
    else
      return portable::arrange_for_tiles<Value>(word, inverse, N, to);
  }
};

/// out[v] of the rows of a tile for the blocks [from, to): on a host by one thread, shared by the lanes of a
/// team on a device.
template <bool masked, class Value>
struct TileTimesVectors {
  RowsOf<Value> matrix;
  std::int64_t rows, padded;
  VectorBlocks blocks;
  std::int64_t from, to;
  TileVectors<Value> in;  // of all vectors
  float* out;
  std::int64_t stride;
  bool accumulate;

  KOKKOS_FUNCTION void write(std::int64_t r, std::int64_t v, float sum) const {
    if (r < rows) out[v * stride + r] = sum + (accumulate ? out[v * stride + r] : 0.0f);
  }
  KOKKOS_FUNCTION TileVectors<Value> from_vector(std::int64_t v) const {
    constexpr std::int64_t elements = TileVectors<Value>::elements / tile_columns;
    return {in.x + v * padded * elements, in.scales + v * matrix.groups, in.sums + v * matrix.groups};
  }

  using Dots = void (*)(const StoredRows<Value>&, const TileVectors<Value>&, float*);
  template <int N>
  static void dots(const StoredRows<Value>& tile, const TileVectors<Value>& block, float* sums) {
    host::tile_dots<masked, N>(tile, block, sums);
  }
  void operator()(std::int64_t s) const {
    constexpr int most = most_side_by_side<Value>;
    static constexpr auto dots_of = []<int... N>(std::integer_sequence<int, N...>) {
      return std::array<Dots, most>{&dots<N + 1>...};
    }
    (std::make_integer_sequence<int, most>{});
    float sums[most * tile_rows];
    for (std::int64_t b = from; b < to; ++b) {
      const std::int64_t first = blocks.first(b), n = blocks.first(b + 1) - first;
      dots_of[std::size_t(n - 1)](matrix.template at<masked>(s), from_vector(first), sums);
      for (std::int64_t v = 0; v < n; ++v)
        for (std::int64_t q = 0; q < tile_rows; ++q)
          write(s * tile_rows + q, first + v, sums[v * tile_rows + q]);
    }
  }

  /// Blocks of one vector.
  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t s = team.league_rank();
    for (std::int64_t v = from; v < to; ++v)
      Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, row_lanes), [&](int lane) {
        float sums[tile_rows];
        portable::tile_dots<masked, 1>(matrix.template at<masked>(s), from_vector(v), sums, lane, row_lanes);
        for (int q = lane; q < tile_rows; q += row_lanes) write(s * tile_rows + q, v, sums[q]);
      });
  }
};

}  // namespace

template <class Value>
void TileProducts::multiply(const PackedMatrix& m, const Rows& x, std::int64_t vectors, bool accumulate,
                            const Rows& out) {
  if constexpr ((std::is_same_v<Value, std::int8_t> || std::is_same_v<Value, BFloat16>)&&host_reads_device)
    if (vectors >= unit_from && matrix_unit().multiplies(m.value_type) && !runtime::charges_kernels()) {
      grow(bytes_, room_for_unit(m, vectors));
      if constexpr (is_scaled<Value>) grow(scales_, vectors * m.groups());
      return multiply_by_matrix_unit<Value>(m, x.data(), std::int64_t(x.stride(0)), vectors, accumulate,
                                            out.data(), std::int64_t(out.stride(0)), bytes_.data(),
                                            scales_.data());
    }
  using X = typename TileVectors<Value>::X;
  constexpr std::int64_t elements = TileVectors<Value>::elements / tile_columns;  // for a column
  const std::int64_t padded = m.padded_columns(), groups = m.groups(),
                     most = host_reads_device ? most_side_by_side<Value> : 1;
  const VectorBlocks blocks{vectors, (vectors + most - 1) / most};
  X* arranged = nullptr;
  if constexpr (is_scaled<Value>) {
    grow(bytes_, elements * vectors * padded);
    grow(scales_, vectors * groups);
    grow(sums_, vectors * groups);
    arranged = bytes_.data();
  } else {
    grow(floats_, vectors * padded);
    arranged = floats_.data();
  }
  announce_bytes(double(vectors) * double(m.columns) *
                 double(sizeof(float) + std::size_t(elements) * sizeof(X)));
  row_loop("arrange vectors", vectors == 1, vectors * groups,
           ArrangeTileGroup<Value>{{x.data(), std::int64_t(x.stride(0)), m.columns, groups, scales_.data()},
                                   padded,
                                   blocks,
                                   arranged,
                                   sums_.data()});
  for (std::int64_t b = 0; b < blocks.count; b += blocks_of_pass) {
    const std::int64_t end = std::min(b + blocks_of_pass, blocks.count);
    announce_bytes(double(m.bytes()) + double(blocks.first(end) - blocks.first(b)) *
                                           double(m.columns + (accumulate ? 2 : 1) * m.rows) * sizeof(float));
    const TileVectors<Value> in{arranged, scales_.data(), sums_.data()};
    const auto run = [&]<bool masked>(std::bool_constant<masked>) {
      const TileTimesVectors<masked, Value> body{
          RowsOf<Value>(m), m.rows, padded, blocks, b, end, in, out.data(), std::int64_t(out.stride(0)),
          accumulate};
      if constexpr (host_reads_device)
        stealing_loop("matrix x vectors", m.slices(), body);
      else
        Kokkos::parallel_for("matrix x vectors", Team(int(m.slices()), 1, row_lanes), body);
    };
    if (row_of(m.format).layout == Layout::masked)
      run(std::true_type{});
    else
      run(std::false_type{});
  }
}

template void TileProducts::multiply<float>(const PackedMatrix&, const Rows&, std::int64_t, bool,
                                            const Rows&);
template void TileProducts::multiply<BFloat16>(const PackedMatrix&, const Rows&, std::int64_t, bool,
                                               const Rows&);
template void TileProducts::multiply<std::int8_t>(const PackedMatrix&, const Rows&, std::int64_t, bool,
                                                  const Rows&);
template void TileProducts::multiply<Int4Pair>(const PackedMatrix&, const Rows&, std::int64_t, bool,
                                               const Rows&);

}  // namespace wafermark::llama
