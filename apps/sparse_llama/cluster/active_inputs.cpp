#include "sparse_llama/cluster/active_inputs.hpp"

#include <algorithm>

#include "sparse_llama/cluster/packed_rows.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {

/// Inputs are dealt to so many partial sums, whatever the number of threads.
constexpr std::int64_t input_parts = host_reads_device ? 32 : 512;
constexpr std::int64_t block_columns = 256;

/// Partial sums of one part for one vector, [padded outputs].
template <bool masked, class Value>
struct AddActiveRows {
  RowsOf<Value> matrix;
  std::int64_t inputs, outputs;  // outputs padded to whole words
  const float* x;
  std::int64_t x_stride;
  float* partial;  // [vector][part][outputs]

  KOKKOS_FUNCTION std::int64_t first(std::int64_t part) const { return inputs * part / input_parts; }

  void operator()(std::int64_t k) const {
    const std::int64_t v = k / input_parts, part = k % input_parts;
    std::fill_n(partial + k * outputs, outputs, 0.0f);
    for (std::int64_t i = first(part); i < first(part + 1); ++i)
      if (const float own = x[v * x_stride + i]; own != 0)
        host::row_add<masked>(matrix.template at<masked>(i), own, partial + k * outputs);
  }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t k = team.league_rank(), v = k / input_parts, part = k % input_parts;
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, row_lanes), [&](int lane) {
      for (std::int64_t j = lane; j < outputs; j += row_lanes) partial[k * outputs + j] = 0;
      for (std::int64_t i = first(part); i < first(part + 1); ++i)
        if (const float own = x[v * x_stride + i]; own != 0)
          portable::row_add<masked>(matrix.template at<masked>(i), own, partial + k * outputs, lane,
                                    row_lanes);
    });
  }
};

template <bool masked, class Value>
void add_active_rows(const PackedMatrix& m, const Rows& x, std::int64_t vectors, float* partial) {
  const AddActiveRows<masked, Value> body{RowsOf<Value>(m),          m.rows, m.padded_columns(), x.data(),
                                          std::int64_t(x.stride(0)), partial};
  if constexpr (host_reads_device)
    stealing_loop("active rows", vectors * input_parts, body);
  else
    Kokkos::parallel_for("active rows", Team(int(vectors * input_parts), 1, row_lanes), body);
}

void sum_parts(const Kokkos::View<float*, MemSpace>& partial, std::int64_t outputs, std::int64_t vectors,
               std::int64_t columns, bool accumulate, const Rows& out) {
  Kokkos::parallel_for(
      "sum of parts", IndexRange(0, vectors * columns), KOKKOS_LAMBDA(std::int64_t k) {
        const std::int64_t v = k / columns, j = k % columns;
        float sum = accumulate ? out(v, j) : 0.0f;
        for (std::int64_t p = 0; p < input_parts; ++p) sum += partial((v * input_parts + p) * outputs + j);
        out(v, j) = sum;
      });
}

}  // namespace

template <class Value>
void ActiveInputs::add_rows(const PackedMatrix& m, const Rows& x, std::int64_t vectors, bool accumulate,
                            const Rows& out) {
  const std::int64_t outputs = m.padded_columns();
  grow(partial_, vectors * input_parts * outputs);
  if (row_of(m.format).layout == Layout::whole)
    add_active_rows<false, Value>(m, x, vectors, partial_.data());
  else
    add_active_rows<true, Value>(m, x, vectors, partial_.data());
  sum_parts(partial_, outputs, vectors, m.columns, accumulate, out);
}

template <class Value>
void ActiveInputs::multiply_expanded(const PackedMatrix& m, const Rows& x, std::int64_t vectors,
                                     bool accumulate, const Rows& out) {
  const std::int64_t padded = m.padded_columns();
  grow(expanded_, m.rows * padded);
  Kokkos::parallel_for("expand", IndexRange(0, m.rows),
                       ExpandSlice<Value>{RowsOf<Value>(m), row_of(m.format).layout, 0, nullptr, m.columns,
                                          expanded_.data(), padded});
  one_blas_thread();  // each of ours calls it
  Kokkos::parallel_for(
      "blocks of outputs",
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0,
                                                             (m.columns + block_columns - 1) / block_columns),
      [&](std::int64_t b) {
        const std::int64_t first = b * block_columns, n = std::min(block_columns, m.columns - first);
        matrix_product(Op::none, Op::none, vectors, n, m.rows, 1.0f, x.data(), std::int64_t(x.stride(0)),
                       expanded_.data() + first, padded, accumulate ? 1.0f : 0.0f, out.data() + first,
                       std::int64_t(out.stride(0)));
      });
}

void ActiveInputs::multiply(const PackedMatrix& m, const Rows& x, std::int64_t vectors, bool accumulate,
                            const Rows& out) {
  with_value_type(m.value_type, [&]<class Value>(Value) {
    if (host_reads_device && vectors >= blas_from)
      multiply_expanded<Value>(m, x, vectors, accumulate, out);
    else
      add_rows<Value>(m, x, vectors, accumulate, out);
  });
}

}  // namespace wafermark::llama
