#include "sparse_llama/compress/transformer.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "sparse_llama/kernels/rms_norm_backward.hpp"
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
      block_(c, sequences, length),
      layers_(std::size_t(c.layers), block_.room()) {
  const auto sized = [&](std::vector<T>& v, std::int64_t columns) { v.resize(std::size_t(rows_ * columns)); };
  for (auto* v : {&final_input_, &final_normed_, &stream_}) sized(*v, c.dim);
  sized(final_scale_, 1);
  sized(logits_, c.vocabulary);
}

template <class T>
BlockWeights<T> Transformer<T>::weights_of_block(const T* p, std::int64_t layer) const {
  const LayerOffsets& w = layout_.layers[std::size_t(layer)];
  return {p + w.attention_norm,    p + w.query, p + w.key, p + w.value, p + w.attention_output,
          p + w.feed_forward_norm, p + w.gate,  p + w.up,  p + w.down};
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
  const std::int64_t dim = c.dim, n = rows_;
  expect_rows(tokens, c.vocabulary, "text");
  std::vector<T>* stream = c.layers > 0 ? &layers_[0].input : &final_input_;
  for (std::int64_t i = 0; i < n; ++i)
    std::copy_n(p + layout_.embedding + tokens[std::size_t(i)] * dim, dim, stream->data() + i * dim);

  for (std::int64_t l = 0; l < c.layers; ++l) {
    BlockActivations<T>& a = layers_[std::size_t(l)];
    const BlockWeights<T> w = weights_of_block(p, l);
    block_.forward(w, a);
    std::vector<T>& out = l + 1 < c.layers ? layers_[std::size_t(l + 1)].input : final_input_;
    block_.finish(w, a, out.data());
  }
  block_.norm(final_input_.data(), p + layout_.final_norm, final_scale_.data(), final_normed_.data());
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
    BlockActivations<T>& a = layers_[std::size_t(l)];
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
    block_.attention().backward(a.query.data(), a.key.data(), a.value.data(), a.probabilities.data(),
                                dattended, dq, dk, dv);
    rotate(block_.rope(), dq, sequences_, length_, c.heads, -1);
    rotate(block_.rope(), dk, sequences_, length_, c.kv_heads, -1);
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
