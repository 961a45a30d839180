#include "sparse_llama/compress/transformer.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/rms_norm_backward.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "sparse_llama/kernels/swiglu_backward.hpp"
#include "sparse_llama/model/matrix_product.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {
using Host = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
}

template <class T>
Transformer<T>::Transformer(const Configuration& c, std::int64_t sequences, std::int64_t length)
    : configuration_(c),
      layout_(c),
      sequences_(sequences),
      length_(length),
      rows_(sequences * length),
      rope_(c, length),
      attention_(c, sequences, length),
      layers_(std::size_t(c.layers)) {
  const auto sized = [&](std::vector<T>& v, std::int64_t columns) { v.resize(std::size_t(rows_ * columns)); };
  for (auto& a : layers_) {
    for (auto* v : {&a.input, &a.attention_input, &a.middle, &a.feed_forward_input}) sized(*v, c.dim);
    for (auto* v : {&a.attention_scale, &a.feed_forward_scale}) sized(*v, 1);
    for (auto* v : {&a.query, &a.attended}) sized(*v, c.query_dim());
    for (auto* v : {&a.key, &a.value}) sized(*v, c.kv_dim());
    for (auto* v : {&a.gate, &a.up, &a.product}) sized(*v, c.hidden);
    sized(a.probabilities, c.heads * length);
  }
  for (auto* v : {&final_input_, &final_normed_, &stream_}) sized(*v, c.dim);
  sized(final_scale_, 1);
  sized(logits_, c.vocabulary);
}

template <class T>
void Transformer<T>::norm(const T* x, const T* weight, T* scale, T* y) const {
  const std::int64_t dim = configuration_.dim;
  const T epsilon = T(configuration_.norm_epsilon);
  Kokkos::parallel_for("norm of a batch", Host(0, rows_), [=](std::int64_t n) {
    const T r = scale[n] = rms_scale(x + n * dim, dim, epsilon);
    for (std::int64_t i = 0; i < dim; ++i) y[n * dim + i] = x[n * dim + i] * r * weight[i];
  });
}

template <class T>
void Transformer<T>::norm_backward(const T* x, const T* weight, const T* scale, const T* gradient,
                                   T* weight_gradient, T* x_gradient) const {
  const std::int64_t dim = configuration_.dim;
  for (std::int64_t n = 0; n < rows_; ++n)
    for (std::int64_t i = 0; i < dim; ++i)
      weight_gradient[i] += gradient[n * dim + i] * x[n * dim + i] * scale[n];
  Kokkos::parallel_for("norm of a batch, backward", Host(0, rows_), [=](std::int64_t n) {
    rms_norm_backward(x + n * dim, weight, scale[n], gradient + n * dim, dim, x_gradient + n * dim);
  });
}

template <class T>
void Transformer<T>::forward(const T* p, std::span<const std::int32_t> tokens) {
  const auto& c = configuration_;
  const std::int64_t dim = c.dim, qd = c.query_dim(), kd = c.kv_dim(), hidden = c.hidden, n = rows_;
  expect_rows(tokens, c.vocabulary, "text");
  std::vector<T>* stream = c.layers > 0 ? &layers_[0].input : &final_input_;
  for (std::int64_t i = 0; i < n; ++i)
    std::copy_n(p + layout_.embedding + tokens[std::size_t(i)] * dim, dim, stream->data() + i * dim);

  for (std::int64_t l = 0; l < c.layers; ++l) {
    const LayerOffsets& w = layout_.layers[std::size_t(l)];
    LayerActivations<T>& a = layers_[std::size_t(l)];
    norm(a.input.data(), p + w.attention_norm, a.attention_scale.data(), a.attention_input.data());
    linear(a.attention_input.data(), p + w.query, a.query.data(), n, dim, qd);
    linear(a.attention_input.data(), p + w.key, a.key.data(), n, dim, kd);
    linear(a.attention_input.data(), p + w.value, a.value.data(), n, dim, kd);
    rotate(rope_, a.query.data(), sequences_, length_, c.heads, 1);
    rotate(rope_, a.key.data(), sequences_, length_, c.kv_heads, 1);
    attention_.forward(a.query.data(), a.key.data(), a.value.data(), a.probabilities.data(),
                       a.attended.data());
    a.middle = a.input;
    matrix_product(Op::none, Op::transpose, n, dim, qd, T(1), a.attended.data(), qd, p + w.attention_output,
                   qd, T(1), a.middle.data(), dim);

    norm(a.middle.data(), p + w.feed_forward_norm, a.feed_forward_scale.data(), a.feed_forward_input.data());
    linear(a.feed_forward_input.data(), p + w.gate, a.gate.data(), n, dim, hidden);
    linear(a.feed_forward_input.data(), p + w.up, a.up.data(), n, dim, hidden);
    const T *gate = a.gate.data(), *up = a.up.data();
    T* product = a.product.data();
    Kokkos::parallel_for("swiglu of a batch", Host(0, n), [=](std::int64_t row) {
      for (std::int64_t i = row * hidden; i < (row + 1) * hidden; ++i) product[i] = swiglu(gate[i], up[i]);
    });
    std::vector<T>& out = l + 1 < c.layers ? layers_[std::size_t(l + 1)].input : final_input_;
    out = a.middle;
    matrix_product(Op::none, Op::transpose, n, dim, hidden, T(1), product, hidden, p + w.down, hidden, T(1),
                   out.data(), dim);
  }
  norm(final_input_.data(), p + layout_.final_norm, final_scale_.data(), final_normed_.data());
  linear(final_normed_.data(), p + layout_.head, logits_.data(), n, dim, c.vocabulary);
}

template <class T>
void Transformer<T>::backward(const T* p, std::span<const std::int32_t> tokens, const T* logits_gradient,
                              T* gradient, const std::function<void(std::int64_t, T*)>& feature_gradient) {
  const auto& c = configuration_;
  const std::int64_t dim = c.dim, qd = c.query_dim(), kd = c.kv_dim(), hidden = c.hidden, n = rows_;
  std::vector<T>& dx = stream_;
  const auto scratch = [&](std::vector<T>& v, std::int64_t columns) {
    v.resize(std::size_t(n * columns));
    return v.data();
  };
  T* dnorm = scratch(wide_c_, std::max(dim, qd));
  linear_backward(final_normed_.data(), p + layout_.head, logits_gradient, gradient + layout_.head, T(0),
                  dnorm, n, dim, c.vocabulary);
  std::fill(dx.begin(), dx.end(), T(0));
  norm_backward(final_input_.data(), p + layout_.final_norm, final_scale_.data(), dnorm,
                gradient + layout_.final_norm, dx.data());

  for (std::int64_t l = c.layers - 1; l >= 0; --l) {
    const LayerOffsets& w = layout_.layers[std::size_t(l)];
    LayerActivations<T>& a = layers_[std::size_t(l)];
    if (feature_gradient) feature_gradient(l, dx.data());

    T* dproduct = scratch(wide_a_, std::max(hidden, qd));
    linear_backward(a.product.data(), p + w.down, dx.data(), gradient + w.down, T(0), dproduct, n, hidden,
                    dim);
    T *gate = a.gate.data(), *up = a.up.data();  // hold their own gradients from here on
    Kokkos::parallel_for("swiglu of a batch, backward", Host(0, n), [=](std::int64_t row) {
      for (std::int64_t i = row * hidden; i < (row + 1) * hidden; ++i)
        swiglu_backward(dproduct[i], gate[i], up[i]);
    });
    linear_backward(a.feed_forward_input.data(), p + w.gate, gate, gradient + w.gate, T(0), dnorm, n, dim,
                    hidden);
    linear_backward(a.feed_forward_input.data(), p + w.up, up, gradient + w.up, T(1), dnorm, n, dim, hidden);
    norm_backward(a.middle.data(), p + w.feed_forward_norm, a.feed_forward_scale.data(), dnorm,
                  gradient + w.feed_forward_norm, dx.data());

    T* dattended = dproduct;
    linear_backward(a.attended.data(), p + w.attention_output, dx.data(), gradient + w.attention_output, T(0),
                    dattended, n, qd, dim);
    T* dq = scratch(wide_b_, qd + 2 * kd);
    T *dk = dq + n * qd, *dv = dk + n * kd;
    attention_.backward(a.query.data(), a.key.data(), a.value.data(), a.probabilities.data(), dattended, dq,
                        dk, dv);
    rotate(rope_, dq, sequences_, length_, c.heads, -1);
    rotate(rope_, dk, sequences_, length_, c.kv_heads, -1);
    const T* in = a.attention_input.data();
    linear_backward(in, p + w.query, dq, gradient + w.query, T(0), dnorm, n, dim, qd);
    linear_backward(in, p + w.key, dk, gradient + w.key, T(1), dnorm, n, dim, kd);
    linear_backward(in, p + w.value, dv, gradient + w.value, T(1), dnorm, n, dim, kd);
    norm_backward(a.input.data(), p + w.attention_norm, a.attention_scale.data(), dnorm,
                  gradient + w.attention_norm, dx.data());
  }
  for (std::int64_t i = 0; i < n; ++i) {
    T* row = gradient + layout_.embedding + tokens[std::size_t(i)] * dim;
    for (std::int64_t j = 0; j < dim; ++j) row[j] += dx[std::size_t(i * dim + j)];
  }
}

template class Transformer<float>;
template class Transformer<double>;

}  // namespace wafermark::llama
