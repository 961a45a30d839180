#include "sparse_llama/compress/block.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {
using HostLoop = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
}

BlockWeights<float> weights_of(const DenseLayer& l) {
  const auto if_any = [](const std::vector<float>& v) { return v.empty() ? nullptr : v.data(); };
  return {l.attention_norm.data(),
          l.query.values.data(),
          l.key.values.data(),
          l.value.values.data(),
          l.attention_output.values.data(),
          l.feed_forward_norm.data(),
          l.gate.values.data(),
          l.up.values.data(),
          l.down.values.data(),
          if_any(l.query_bias),
          if_any(l.key_bias),
          if_any(l.value_bias),
          if_any(l.query_norm),
          if_any(l.key_norm)};
}

template <class T>
Block<T>::Block(const Configuration& c, std::int64_t sequences, std::int64_t length)
    : configuration_(c),
      sequences_(sequences),
      length_(length),
      rows_(sequences * length),
      rope_(c, length),
      attention_(c, sequences, length) {}

template <class T>
BlockActivations<T> Block<T>::room() const {
  const Configuration& c = configuration_;
  BlockActivations<T> a;
  const auto sized = [&](std::vector<T>& v, std::int64_t columns) { v.resize(std::size_t(rows_ * columns)); };
  for (auto* v : {&a.input, &a.attention_input, &a.middle, &a.feed_forward_input}) sized(*v, c.dim);
  for (auto* v : {&a.attention_scale, &a.feed_forward_scale}) sized(*v, 1);
  for (auto* v : {&a.query, &a.attended}) sized(*v, c.query_dim());
  for (auto* v : {&a.key, &a.value}) sized(*v, c.kv_dim());
  for (auto* v : {&a.gate, &a.up, &a.product}) sized(*v, c.hidden);
  sized(a.probabilities, c.heads * length_);
  return a;
}

template <class T>
void Block<T>::norm(const T* x, const T* weight, T* scale, T* y) const {
  const std::int64_t dim = configuration_.dim;
  const T epsilon = T(configuration_.norm_epsilon);
  Kokkos::parallel_for("norm of a batch", HostLoop(0, rows_), [=](std::int64_t n) {
    const T r = scale[n] = rms_scale(x + n * dim, dim, epsilon);
    for (std::int64_t i = 0; i < dim; ++i) y[n * dim + i] = x[n * dim + i] * r * weight[i];
  });
}

template <class T>
void Block<T>::adjust_heads(T* x, std::int64_t heads, const T* bias, const T* norm) const {
  if (bias == nullptr && norm == nullptr) return;
  const std::int64_t head_dim = configuration_.head_dim;
  const T epsilon = T(configuration_.norm_epsilon);
  Kokkos::parallel_for("biases and norms of heads", HostLoop(0, rows_ * heads), [=](std::int64_t k) {
    T* head = x + k * head_dim;
    if (bias != nullptr)
      for (std::int64_t i = 0; i < head_dim; ++i) head[i] += bias[k % heads * head_dim + i];
    if (norm != nullptr) rms_norm_in_place(head, norm, head_dim, epsilon);
  });
}

template <class T>
void Block<T>::attend(const BlockWeights<T>& w, BlockActivations<T>& a) const {
  const auto& c = configuration_;
  const std::int64_t dim = c.dim, qd = c.query_dim(), kd = c.kv_dim(), n = rows_;
  norm(a.input.data(), w.attention_norm, a.attention_scale.data(), a.attention_input.data());
  linear(a.attention_input.data(), w.query, a.query.data(), n, dim, qd);
  linear(a.attention_input.data(), w.key, a.key.data(), n, dim, kd);
  linear(a.attention_input.data(), w.value, a.value.data(), n, dim, kd);
  adjust_heads(a.query.data(), c.heads, w.query_bias, w.query_norm);
  adjust_heads(a.key.data(), c.kv_heads, w.key_bias, w.key_norm);
  adjust_heads(a.value.data(), c.kv_heads, w.value_bias, nullptr);
  rotate(rope_, a.query.data(), sequences_, length_, c.heads, 1);
  rotate(rope_, a.key.data(), sequences_, length_, c.kv_heads, 1);
  attention_.forward(a.query.data(), a.key.data(), a.value.data(), a.probabilities.data(), a.attended.data());
  a.middle = a.input;
  linear(a.attended.data(), w.attention_output, a.middle.data(), n, qd, dim, T(1));
}

template <class T>
void Block<T>::feed_forward(const BlockWeights<T>& w, BlockActivations<T>& a) const {
  const std::int64_t dim = configuration_.dim, hidden = configuration_.hidden, n = rows_;
  norm(a.middle.data(), w.feed_forward_norm, a.feed_forward_scale.data(), a.feed_forward_input.data());
  linear(a.feed_forward_input.data(), w.gate, a.gate.data(), n, dim, hidden);
  linear(a.feed_forward_input.data(), w.up, a.up.data(), n, dim, hidden);
  const T *gate = a.gate.data(), *up = a.up.data();
  T* product = a.product.data();
  Kokkos::parallel_for("swiglu of a batch", HostLoop(0, n), [=](std::int64_t row) {
    for (std::int64_t i = row * hidden; i < (row + 1) * hidden; ++i) product[i] = swiglu(gate[i], up[i]);
  });
}

template <class T>
void Block<T>::finish(const BlockWeights<T>& w, const BlockActivations<T>& a, T* out) const {
  const std::int64_t dim = configuration_.dim, hidden = configuration_.hidden;
  std::copy(a.middle.begin(), a.middle.end(), out);
  linear(a.product.data(), w.down, out, rows_, hidden, dim, T(1));
}

template class Block<float>;
template class Block<double>;

}  // namespace wafermark::llama
