#include "sparse_llama/compress/calibration.hpp"

#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {

/// Adds x^T x of x[n, columns], in double, to the upper triangle.
void add_inputs(InputStatistics& sum, const std::vector<float>& x, std::int64_t n) {
  const std::vector<double> wide(x.begin(), x.begin() + std::ptrdiff_t(n * sum.columns));
  add_gram(sum.columns, n, wide.data(), sum.products.data());
}

/// Over ranks; the lower triangle becomes that of a symmetric matrix.
void complete(const Communicator& comm, InputStatistics& sum) {
  comm.sum_in_place(sum.products.data(), std::int64_t(sum.products.size()));
  for (std::int64_t i = 0; i < sum.columns; ++i)
    for (std::int64_t j = 0; j < i; ++j)
      sum.products[std::size_t(i * sum.columns + j)] = sum.products[std::size_t(j * sum.columns + i)];
}

}  // namespace

LayerInputs layer_inputs(const Communicator& comm, const Configuration& c, const DenseLayer& layer,
                         const HiddenStates& states) {
  LayerInputs inputs{InputStatistics(c.dim), InputStatistics(c.query_dim()), InputStatistics(c.dim),
                     InputStatistics(c.hidden)};
  states.look(weights_of(layer), [&](const BlockActivations<float>& a, std::int64_t rows) {
    add_inputs(inputs.attention, a.attention_input, rows);
    add_inputs(inputs.attention_output, a.attended, rows);
    add_inputs(inputs.feed_forward, a.feed_forward_input, rows);
    add_inputs(inputs.down, a.product, rows);
  });
  for (auto* s : {&inputs.attention, &inputs.attention_output, &inputs.feed_forward, &inputs.down})
    complete(comm, *s);
  return inputs;
}

}  // namespace wafermark::llama
