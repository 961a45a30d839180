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
  constexpr std::int64_t together = 64;  // columns, whose sums stay in the first cache
  const std::int64_t rows = rows_;
  Kokkos::parallel_for("norm of a batch, its weights", Host(0, (dim + together - 1) / together),
                       [=](std::int64_t group) {
                         const std::int64_t first = group * together, end = std::min(first + together, dim);
                         for (std::int64_t n = 0; n < rows; ++n)
                           for (std::int64_t i = first; i < end; ++i)
                             weight_gradient[i] += gradient[n * dim + i] * x[n * dim + i] * scale[n];
                       });
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
void Transformer<T>::block_backward(const T* p, std::int64_t layer, T* gradient) {
  const auto& c = configuration_;
  const std::int64_t dim = c.dim, qd = c.query_dim(), kd = c.kv_dim(), hidden = c.hidden, n = rows_;
  const LayerOffsets& w = layout_.layers[std::size_t(layer)];
  BlockActivations<T>& a = layers_[std::size_t(layer)];
  const auto to = [&](std::int64_t offset) { return gradient + (offset - w.attention_norm); };
  T* dx = stream_.data();
  T* dnorm = sized(wide_c_, std::max(dim, qd));

  T* dproduct = sized(wide_a_, std::max(hidden, qd));
  linear_backward(a.product.data(), p + w.down, dx, to(w.down), T(0), dproduct, n, hidden, dim);
  T *gate = a.gate.data(), *up = a.up.data();  // hold their own gradients from here on
  Kokkos::parallel_for("swiglu of a batch, backward", Host(0, n), [=](std::int64_t row) {
    for (std::int64_t i = row * hidden; i < (row + 1) * hidden; ++i)
      swiglu_backward(dproduct[i], gate[i], up[i]);
  });
  linear_backward(a.feed_forward_input.data(), p + w.gate, gate, to(w.gate), T(0), dnorm, n, dim, hidden);
  linear_backward(a.feed_forward_input.data(), p + w.up, up, to(w.up), T(1), dnorm, n, dim, hidden);
  norm_backward(a.middle.data(), p + w.feed_forward_norm, a.feed_forward_scale.data(), dnorm,
                to(w.feed_forward_norm), dx);

  T* dattended = dproduct;
  linear_backward(a.attended.data(), p + w.attention_output, dx, to(w.attention_output), T(0), dattended, n,
                  qd, dim);
  T* dq = sized(wide_b_, qd + 2 * kd);
  T *dk = dq + n * qd, *dv = dk + n * kd;
  block_.attention().backward(a.query.data(), a.key.data(), a.value.data(), a.probabilities.data(), dattended,
                              dq, dk, dv);
  rotate(block_.rope(), dq, sequences_, length_, c.heads, -1);
  rotate(block_.rope(), dk, sequences_, length_, c.kv_heads, -1);
  const T* in = a.attention_input.data();
  linear_backward(in, p + w.query, dq, to(w.query), T(0), dnorm, n, dim, qd);
  linear_backward(in, p + w.key, dk, to(w.key), T(1), dnorm, n, dim, kd);
  linear_backward(in, p + w.value, dv, to(w.value), T(1), dnorm, n, dim, kd);
  norm_backward(a.input.data(), p + w.attention_norm, a.attention_scale.data(), dnorm, to(w.attention_norm),
                dx);
}

template <class T>
void Transformer<T>::backward(const T* p, std::span<const std::int32_t> tokens, const T* logits_gradient,
                              GradientSink<T>& gradient,
                              const std::function<void(std::int64_t, T*)>& feature_gradient) {
  const auto& c = configuration_;
  const std::int64_t dim = c.dim, n = rows_;
  const Share last = layout_.last_piece(), first = layout_.embedding_piece();
  T* embedding = c.tied_embeddings ? gradient.open(first) : nullptr;
  T* norm = gradient.open(last);
  T* dnorm = sized(wide_c_, std::max(dim, c.query_dim()));
  linear_backward(final_normed_.data(), p + layout_.head, logits_gradient,
                  c.tied_embeddings ? embedding : norm + (layout_.head - last.first), T(0), dnorm, n, dim,
                  c.vocabulary);
  std::fill(stream_.begin(), stream_.end(), T(0));
  norm_backward(final_input_.data(), p + layout_.final_norm, final_scale_.data(), dnorm, norm,
                stream_.data());
  gradient.close(last);

  for (std::int64_t l = c.layers - 1; l >= 0; --l) {
    const Share block = layout_.block_piece(l);
    if (feature_gradient) feature_gradient(l, stream_.data());
    block_backward(p, l, gradient.open(block));
    gradient.close(block);
  }
  if (!c.tied_embeddings) embedding = gradient.open(first);
  for (std::int64_t i = 0; i < n; ++i) {
    T* row = embedding + tokens[std::size_t(i)] * dim;
    for (std::int64_t j = 0; j < dim; ++j) row[j] += stream_[std::size_t(i * dim + j)];
  }
  gradient.close(first);
}

template class Transformer<float>;
template class Transformer<double>;

}  // namespace wafermark::llama
