#include "sparse_llama/compress/attention.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

#include "sparse_llama/kernels/rope.hpp"
#include "sparse_llama/kernels/softmax.hpp"
#include "sparse_llama/kernels/softmax_backward.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {
constexpr std::int64_t block_rows = 64;
using Host = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
}  // namespace

template <class T>
void rotate(const RopeTable<T>& table, T* x, std::int64_t sequences, std::int64_t length, std::int64_t heads,
            int direction) {
  const std::int64_t half = table.half;
  const T *cosine = table.cosine.data(), *sine = table.sine.data();
  Kokkos::parallel_for("rope of a batch", Host(0, sequences * length), [=](std::int64_t row) {
    const std::int64_t position = row % length;
    for (std::int64_t h = 0; h < heads; ++h) {
      T* head = x + (row * heads + h) * 2 * half;
      for (std::int64_t i = 0; i < half; ++i)
        rope_rotate(head[i], head[i + half], cosine[position * half + i],
                    T(direction) * sine[position * half + i]);
    }
  });
}

template <class T>
CausalAttention<T>::CausalAttention(const Configuration& configuration, std::int64_t sequences,
                                    std::int64_t length)
    : configuration_(configuration), sequences_(sequences), length_(length) {}

template <class T>
template <class Visit>
void CausalAttention<T>::each_head(const char* name, const Visit& visit) const {
  const OneBlasThread one;
  const std::int64_t kv_heads = configuration_.kv_heads, group = configuration_.heads / kv_heads;
  Kokkos::parallel_for(name, Host(0, sequences_ * kv_heads, Kokkos::ChunkSize(1)), [&](std::int64_t i) {
    for (std::int64_t h = i % kv_heads * group; h < (i % kv_heads + 1) * group; ++h) visit(i / kv_heads, h);
  });
}

template <class T>
void CausalAttention<T>::forward(const T* query, const T* key, const T* value, T* probabilities,
                                 T* output) const {
  const auto& c = configuration_;
  const std::int64_t hd = c.head_dim, qd = c.query_dim(), kd = c.kv_dim(), group = c.heads / c.kv_heads,
                     t = length_;
  const T scale = T(1) / std::sqrt(T(hd));
  each_head("causal attention", [=, &c](std::int64_t s, std::int64_t h) {
    const T* q = query + s * t * qd + h * hd;
    const T* k = key + s * t * kd + h / group * hd;
    const T* v = value + s * t * kd + h / group * hd;
    T* out = output + s * t * qd + h * hd;
    T* p = probabilities + (s * c.heads + h) * t * t;
    for (std::int64_t first = 0; first < t; first += block_rows) {
      const std::int64_t rows = std::min(block_rows, t - first), columns = first + rows;
      T* block = p + first * t;
      matrix_product(Op::none, Op::transpose, rows, columns, hd, scale, q + first * qd, qd, k, kd, T(0),
                     block, t);
      for (std::int64_t i = 0; i < rows; ++i) {
        T* row = block + i * t;
        const std::int64_t seen = first + i + 1, begin = c.first_seen(first + i);
        softmax(row + begin, seen - begin);
        std::fill(row, row + begin, T(0));
        std::fill(row + seen, row + columns, T(0));
      }
      matrix_product(Op::none, Op::none, rows, hd, columns, T(1), block, t, v, kd, T(0), out + first * qd,
                     qd);
    }
  });
}

template <class T>
void CausalAttention<T>::backward(const T* query, const T* key, const T* value, const T* probabilities,
                                  const T* output_gradient, T* query_gradient, T* key_gradient,
                                  T* value_gradient) const {
  const auto& c = configuration_;
  const std::int64_t hd = c.head_dim, qd = c.query_dim(), kd = c.kv_dim(), group = c.heads / c.kv_heads,
                     t = length_;
  const T scale = T(1) / std::sqrt(T(hd));
  std::fill_n(key_gradient, sequences_ * t * kd, T(0));
  std::fill_n(value_gradient, sequences_ * t * kd, T(0));
  each_head("causal attention, backward", [=](std::int64_t s, std::int64_t h) {
    const std::int64_t q_at = s * t * qd + h * hd, k_at = s * t * kd + h / group * hd;
    const T* p = probabilities + (s * c.heads + h) * t * t;
    std::vector<T> scores(std::size_t(block_rows * t));
    T* ds = scores.data();
    for (std::int64_t first = 0; first < t; first += block_rows) {
      const std::int64_t rows = std::min(block_rows, t - first), columns = first + rows,
                         at = q_at + first * qd;
      const T* block = p + first * t;
      matrix_product(Op::transpose, Op::none, columns, hd, rows, T(1), block, t, output_gradient + at, qd,
                     T(1), value_gradient + k_at, kd);
      matrix_product(Op::none, Op::transpose, rows, columns, hd, T(1), output_gradient + at, qd, value + k_at,
                     kd, T(0), ds, columns);
      for (std::int64_t i = 0; i < rows; ++i)
        softmax_backward(block + i * t, columns, scale, ds + i * columns);
      matrix_product(Op::none, Op::none, rows, hd, columns, T(1), ds, columns, key + k_at, kd, T(0),
                     query_gradient + at, qd);
      matrix_product(Op::transpose, Op::none, columns, hd, rows, T(1), ds, columns, query + at, qd, T(1),
                     key_gradient + k_at, kd);
    }
  });
}

template void rotate(const RopeTable<float>&, float*, std::int64_t, std::int64_t, std::int64_t, int);
template void rotate(const RopeTable<double>&, double*, std::int64_t, std::int64_t, std::int64_t, int);
template class CausalAttention<float>;
template class CausalAttention<double>;

}  // namespace wafermark::llama
