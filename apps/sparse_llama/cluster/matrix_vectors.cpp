#include "sparse_llama/cluster/matrix_vectors.hpp"

#include <algorithm>

#include "sparse_llama/cluster/grouped_vectors.hpp"
#include "sparse_llama/cluster/lanes.hpp"
#include "sparse_llama/cluster/packed_rows.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {

constexpr int together = 4;               // vectors that one pass over a row serves
constexpr std::int64_t panel_rows = 128;  // whole slices
constexpr std::int64_t block = 64;        // vectors side by side for which masks are read bit by bit
/// Bytes of a vector from which dense rows are multiplied four at a time on hosts, or it would come from the
/// second cache as fast as the weights come from memory. Bf16 on a Zen 5: rows of 5,632 and 11,008 columns
/// are then 15 to 17 % faster, of 4,096 6 % where memory is slow (36 GB/s), but not where it is fast. int8
/// rows, whose vectors are half as large, gain nothing, fp32 rows of any length 2 to 20 %.
constexpr std::int64_t large_vector = 20 << 10;

/// out[v] of the H rows of a slice, or of a dense matrix, for N vectors: all of them on a host, shared by the
/// lanes of a team on a device.
template <bool masked, int H, int N, class Value, Bf16Products products>
struct SliceTimesVectors {
  RowsOf<Value> matrix;
  std::int64_t rows;
  Vectors<Value, products> in;
  float* out;
  std::int64_t stride;
  bool accumulate;

  KOKKOS_FUNCTION void write(std::int64_t r, std::int64_t v, float sum) const {
    if (r < rows) out[v * stride + r] = sum + (accumulate ? out[v * stride + r] : 0.0f);
  }
  void operator()(std::int64_t s) const {
    float sums[H * N];
    host::row_dots<masked, H, N>(matrix.template at<masked>(masked ? s : s * H), in, sums);
    for (int q = 0; q < H; ++q)
      for (int v = 0; v < N; ++v) write(s * H + q, v, sums[q * N + v]);
  }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t s = team.league_rank();
    const StoredRows<Value> slice = matrix.template at<masked>(s);
    for (int v = 0; v < N; ++v) {
      Vectors<Value> one = in;
      one.x += v * in.stride;
      one.scales += v * in.scale_stride;
      LaneSums<H> sums;
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, row_lanes),
          [&](int lane, LaneSums<H>& all) {
            LaneSums<H> share;
            portable::row_dots<masked, H, 1>(slice, one, share.at, lane, row_lanes);
            all += share;
          },
          sums);
      Kokkos::single(Kokkos::PerThread(team), [&] {
        for (int q = 0; q < H; ++q) write(s * H + q, v, sums.at[q]);
      });
    }
  }
};

template <bool masked, int H, int N, class Value, Bf16Products products>
void for_slices(const PackedMatrix& m, const Vectors<Value, products>& in, float* out, std::int64_t stride,
                bool accumulate) {
  const SliceTimesVectors<masked, H, N, Value, products> body{RowsOf<Value>(m), m.rows,    in, out,
                                                              stride,           accumulate};
  if constexpr (!host_reads_device) {
    Kokkos::parallel_for("matrix x vectors", Team(m.slices(), 1, row_lanes), body);
  } else {
    if (m.hollow()) return stealing_loop("matrix x vectors", 0, body);
    const std::int64_t whole = masked ? m.slices() : m.rows / H;
    stealing_loop("matrix x vectors", whole, body);
    if constexpr (!masked && H > 1) {
      const SliceTimesVectors<false, 1, N, Value, products> row{body.matrix, m.rows, in,
                                                                out,         stride, accumulate};
      for (std::int64_t r = whole * H; r < m.rows; ++r) row(r);
    }
  }
}

/// out[v] of one CSR row, whose x lie as they are.
template <class Value>
struct CsrRowTimesVectors {
  RowsOf<Value> m;
  std::int64_t vectors;
  const float* x;
  std::int64_t x_stride;
  float* out;
  std::int64_t stride;
  bool accumulate;

  KOKKOS_FUNCTION float dot(std::int64_t first, std::int64_t n, const float* vector) const {
    KOKKOS_IF_ON_HOST((return host::indexed_dot(m.column + first, m.values + first, vector, n);))
    KOKKOS_IF_ON_DEVICE((return portable::indexed_dot(m.column + first, m.values + first, vector, n);))
  }
  KOKKOS_FUNCTION void operator()(std::int64_t r) const {
    const std::int64_t first = m.slice_start[r], n = m.slice_start[r + 1] - first;
    for (std::int64_t v = 0; v < vectors; ++v) {
      const float* vector = x + v * x_stride;
      float sum = 0;
      if constexpr (std::is_same_v<Value, std::int8_t>) {
        const BFloat16* scale = m.scales + m.scale_start[r];
        for (std::int64_t i = 0; i < n; i += group_columns)
          sum += float(*scale++) * dot(first + i, Kokkos::min(std::int64_t(group_columns), n - i), vector);
      } else {
        sum = dot(first, n, vector);
      }
      out[v * stride + r] = sum + (accumulate ? out[v * stride + r] : 0.0f);
    }
  }
};

/// A block of vectors side by side: x[column][vector], zeros where there are fewer.
struct TurnColumns {
  const float* x;
  std::int64_t x_stride, vectors, columns;
  float* turned;

  void operator()(std::int64_t word) const {
    const std::int64_t end = std::min((word + 1) * mask_columns, columns);
    for (std::int64_t v = 0; v < block; ++v)
      for (std::int64_t c = word * mask_columns; c < end; ++c)
        turned[c * block + v] = v < vectors ? x[v * x_stride + c] : 0.0f;
  }
};

/// out[v] of some slices of a masked matrix for a block of vectors, on hosts. Word by word for
/// all of them: the elements that a word meets stay in the first cache.
template <class Value>
struct SlicesTimesBlock {
  static constexpr std::int64_t most_rows = 32;  // whole slices
  RowsOf<Value> m;
  std::int64_t rows, vectors;
  const float* turned;
  float* out;
  std::int64_t stride;
  bool accumulate;

  std::int64_t parts() const { return (rows + most_rows - 1) / most_rows; }
  void operator()(std::int64_t part) const {
    const std::int64_t first = part * most_rows, n = std::min(most_rows, rows - first),
                       slices = (n + m.slice - 1) / m.slice;
    alignas(64) float sums[most_rows][block] = {}, values[mask_columns + 16];
    StoredRows<Value> next[most_rows];
    for (std::int64_t s = 0; s < slices; ++s) next[s] = m.template at<true>(first / m.slice + s);
    for (std::int64_t i = 0; i < m.words; ++i) {
      const float* x = turned + i * mask_columns * block;
      for (std::int64_t s = 0; s < slices; ++s)
        for (std::int64_t q = 0; q < m.slice; ++q) {
          const MaskWord mask = *next[s].mask++;
          const int stored = Kokkos::popcount(mask);
          const float* w = values;
          const std::int64_t row = s * m.slice + q;
          if constexpr (std::is_same_v<Value, float>)
            w = next[s].values;
          else
            portable::scaled_values(next[s].values, stored,
                                    m.scale((first + row) * m.groups + i * mask_columns / group_columns),
                                    values);
          host::word_times_block<block>(mask, w, x, sums[row]);
          next[s].values += stored;
        }
    }
    for (std::int64_t v = 0; v < vectors; ++v)
      for (std::int64_t r = 0; r < n; ++r) {
        float& to = out[v * stride + first + r];
        to = sums[r][v] + (accumulate ? to : 0.0f);
      }
  }
};

/// What comes of a hollow matrix: zeros, so that all later numbers are the same on every machine.
void put_zeros(const Rows& out, std::int64_t vectors, std::int64_t columns) {
  for (std::int64_t v = 0; v < vectors; ++v) std::fill_n(&out(v, 0), columns, 0.0f);
}

/// Puts one group of 128 elements of a vector where the rows of Value want them, rounded to integers for int8
/// and int4.
template <class Value, Bf16Products products>
struct ArrangeGroup {
  using X = typename Vectors<Value>::X;
  GroupedVectors<Value> vectors;
  std::int64_t padded;
  X* arranged;

  KOKKOS_FUNCTION void operator()(std::int64_t k) const {
    X* const to = arranged + k / vectors.groups * padded;
    vectors.each_word(
        k, [&](std::int64_t j, const float* word, float inverse) { arrange(word, inverse, to + j); });
  }
  KOKKOS_FUNCTION void arrange(const float* word, float inverse, X* to) const {
    if constexpr (host_reads_device)
      host::arrange_word<Value, products>(word, inverse, to);
    else
      portable::arrange_word<Value>(word, inverse, to);
  }
};

}  // namespace

template <class Value, Bf16Products products>
void MatrixVectors::multiply_rows(const PackedMatrix& m, const Rows& all_x, std::int64_t first_vector,
                                  std::int64_t vectors, bool accumulate, const Rows& all_out) {
  const auto from_first = Kokkos::make_pair(first_vector, first_vector + vectors);
  const Rows x = Kokkos::subview(all_x, from_first, Kokkos::ALL),
             out = Kokkos::subview(all_out, from_first, Kokkos::ALL);
  const std::int64_t padded = m.padded_columns(), groups = m.groups();
  const auto x_stride = std::int64_t(x.stride(0)), stride = std::int64_t(out.stride(0));
  const Layout layout = row_of(m.format).layout;
  const auto bytes_of_vectors = [&](std::int64_t n) {
    return double(n) * double(m.columns + (accumulate ? 2 : 1) * m.rows) * sizeof(float);
  };
  if constexpr (!std::is_same_v<Value, Int4Pair>)  // CSR holds none
    if (layout == Layout::listed) {
      announce_bytes(double(m.bytes()) + bytes_of_vectors(vectors));
      Kokkos::parallel_for("CSR matrix x vectors", IndexRange(0, m.hollow() ? 0 : m.rows),
                           CsrRowTimesVectors<Value>{RowsOf<Value>(m), vectors, x.data(), x_stride,
                                                     out.data(), stride, accumulate});
      return;
    }
  using X = typename Vectors<Value>::X;
  constexpr bool fp32 = std::is_same_v<Value, float>;
  X* arranged = nullptr;
  if constexpr (std::is_same_v<Value, Int4Pair>) {
    grow(arranged_int8_, vectors * padded);
    arranged = arranged_int8_.data();
  } else if constexpr (is_scaled<Value>) {
    grow(arranged_int16_, vectors * padded);
    arranged = arranged_int16_.data();
  } else {
    grow(arranged_, vectors * padded);
    arranged = arranged_.data();
  }
  grow(scales_, vectors * groups);
  float* scales = scales_.data();
  const bool masked = layout == Layout::masked;
  const ArrangeGroup<Value, products> arrange{
      {x.data(), x_stride, m.columns, groups, scales}, padded, arranged};
  announce_bytes(double(vectors) * double(m.columns) * (sizeof(float) + sizeof(X)));
  row_loop("arrange vectors", vectors == 1, m.hollow() ? 0 : vectors * groups, arrange);

  const auto run = [&]<int N>(std::integral_constant<int, N>, std::int64_t first) {
    announce_bytes(double(m.bytes()) + bytes_of_vectors(N));
    const Vectors<Value, products> in{arranged + first * padded, padded, scales + first * groups, groups};
    float* to = out.data() + first * stride;
    if constexpr (host_reads_device && N == 1 && !is_scaled<Value>)
      if (!masked && (fp32 || padded * std::int64_t(sizeof(X)) > large_vector))
        return for_slices<false, slice_rows, 1>(m, in, to, stride, accumulate);
    if (!masked)
      for_slices<false, 1, N>(m, in, to, stride, accumulate);
    else if (m.slice == 1)
      for_slices<true, 1, N>(m, in, to, stride, accumulate);
    else
      for_slices<true, slice_rows, N>(m, in, to, stride, accumulate);
  };
  std::int64_t v = 0;
  for (; v + together <= vectors; v += together) run(std::integral_constant<int, together>{}, v);
  for (; v + 2 <= vectors; v += 2) run(std::integral_constant<int, 2>{}, v);
  for (; v < vectors; ++v) run(std::integral_constant<int, 1>{}, v);
}

template <class Value>
void MatrixVectors::multiply_panels(const PackedMatrix& m, const Rows& x, std::int64_t vectors,
                                    bool accumulate, const Rows& out) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  const Kokkos::Experimental::UniqueToken<Host> thread;
  const std::int64_t padded = m.padded_columns(), panel_size = panel_rows * padded;
  grow(panel_, panel_size * thread.size());
  one_blas_thread();  // each of ours calls it
  const RowsOf<Value> rows(m);
  Kokkos::parallel_for(
      "panels x vectors", Kokkos::RangePolicy<Host>(0, (m.rows + panel_rows - 1) / panel_rows),
      [&](std::int64_t p) {
        const std::int64_t first = p * panel_rows, n = std::min(panel_rows, m.rows - first);
        const int own = thread.acquire();
        float* panel = panel_.data() + own * panel_size;
        const ExpandSlice<Value> expand{
            rows, row_of(m.format).layout, first / m.slice, nullptr, m.columns, panel, padded};
        for (std::int64_t i = 0; i * m.slice < n; ++i) expand(i);
        matrix_product(Op::none, Op::transpose, vectors, n, m.columns, 1.0f, x.data(),
                       std::int64_t(x.stride(0)), panel, padded, accumulate ? 1.0f : 0.0f, out.data() + first,
                       std::int64_t(out.stride(0)));
        thread.release(own);
      });
}

template <class Value>
void MatrixVectors::multiply_block(const PackedMatrix& m, const Rows& x, std::int64_t first,
                                   std::int64_t vectors, bool accumulate, const Rows& out) {
  grow(arranged_, m.padded_columns() * block);
  const auto x_stride = std::int64_t(x.stride(0)), stride = std::int64_t(out.stride(0));
  stealing_loop("turn vectors", m.words(),
                TurnColumns{x.data() + first * x_stride, x_stride, vectors, m.columns, arranged_.data()});
  const SlicesTimesBlock<Value> body{
      RowsOf<Value>(m), m.rows, vectors, arranged_.data(), out.data() + first * stride, stride, accumulate};
  stealing_loop("masked matrix x block", body.parts(), body);
}

template <class Value>
void MatrixVectors::multiply_rows(const PackedMatrix& m, const Rows& x, std::int64_t first,
                                  std::int64_t vectors, bool accumulate, const Rows& out) {
  if constexpr (std::is_same_v<Value, BFloat16> && host_knows_bf16_pairs)
    if (bf16_ == Bf16Products::pairs)
      return multiply_rows<Value, Bf16Products::pairs>(m, x, first, vectors, accumulate, out);
  multiply_rows<Value, Bf16Products::fp32>(m, x, first, vectors, accumulate, out);
}

void MatrixVectors::multiply(const PackedMatrix& m, const Rows& x, std::int64_t vectors, bool accumulate,
                             const Rows& out) {
  if (m.hollow() && !accumulate) put_zeros(out, vectors, m.rows);
  with_value_type(m.value_type, [&]<class Value>(Value) {
    const bool masked = row_of(m.format).layout == Layout::masked;
    if (m.slice == tile_rows && !m.hollow()) return tiles_.multiply<Value>(m, x, vectors, accumulate, out);
    std::int64_t done = 0;
    if constexpr (host_reads_device) {
      // A simulated worker runs what a device would.
      if (runtime::charges_kernels()) return multiply_rows<Value>(m, x, 0, vectors, accumulate, out);
      if (!masked && suits_blas(m.value_type, vectors))
        return multiply_panels<Value>(m, x, vectors, accumulate, out);
      if constexpr (!std::is_same_v<Value, Int4Pair>)  // which hosts keep in tiles
        for (std::int64_t n = 0; masked && vectors - done >= host::block_from; done += n)
          multiply_block<Value>(m, x, done, n = std::min(block, vectors - done), accumulate, out);
    }
    if (done < vectors) multiply_rows<Value>(m, x, done, vectors - done, accumulate, out);
  });
}

void MatrixVectors::take_rows(const PackedMatrix& m, const Kokkos::View<std::int64_t*, MemSpace>& numbers,
                              std::int64_t vectors, const Rows& out) {
  if (m.hollow()) put_zeros(out, vectors, m.columns);
  announce_bytes(double(vectors * m.columns) * (row_of(m.value_type).bits / 8.0 + sizeof(float)));
  with_value_type(m.value_type, [&]<class Value>(Value) {
    Kokkos::parallel_for("take rows", IndexRange(0, m.hollow() ? 0 : vectors),
                         ExpandSlice<Value>{RowsOf<Value>(m), row_of(m.format).layout, 0, numbers.data(),
                                            m.columns, out.data(), std::int64_t(out.stride(0))});
  });
}

}  // namespace wafermark::llama
