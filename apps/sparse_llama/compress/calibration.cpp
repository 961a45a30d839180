#include "sparse_llama/compress/calibration.hpp"

#include <span>

#include "sparse_llama/compress/transformer.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {
namespace {

/// Adds x^T x of x[n, columns], in double.
void add_inputs(InputStatistics& sum, const std::vector<float>& x, std::int64_t n) {
  const std::vector<double> wide(x.begin(), x.begin() + std::ptrdiff_t(n * sum.columns));
  matrix_product(Op::transpose, Op::none, sum.columns, sum.columns, n, 1.0, wide.data(), sum.columns,
                 wide.data(), sum.columns, 1.0, sum.products.data(), sum.columns);
}

}  // namespace

LayerInputs layer_inputs(const Communicator& comm, const Configuration& c,
                         const std::vector<float>& parameters, const CalibrationText& text,
                         std::int64_t layer) {
  LayerInputs inputs{InputStatistics(c.dim), InputStatistics(c.query_dim()), InputStatistics(c.dim),
                     InputStatistics(c.hidden)};
  Configuration front = c;  // the blocks behind `layer` have no say in its inputs
  front.layers = layer + 1;
  const ParameterLayout whole(c), part(front);
  std::vector<float> values(parameters.begin(),
                            parameters.begin() + whole.layers[std::size_t(layer)].down + c.dim * c.hidden);
  values.insert(values.end(), parameters.begin() + whole.final_norm, parameters.end());

  Transformer<float> model(front, 1, text.length);
  for (std::int64_t s = comm.rank(); s < text.count; s += comm.size()) {
    model.forward(values.data(),
                  std::span(text.tokens).subspan(std::size_t(s * text.length), std::size_t(text.length)));
    const auto& a = model.activations(layer);
    add_inputs(inputs.attention, a.attention_input, text.length);
    add_inputs(inputs.attention_output, a.attended, text.length);
    add_inputs(inputs.feed_forward, a.feed_forward_input, text.length);
    add_inputs(inputs.down, a.product, text.length);
  }
  for (auto* s : {&inputs.attention, &inputs.attention_output, &inputs.feed_forward, &inputs.down})
    s->products = comm.sum(std::move(s->products));
  return inputs;
}

}  // namespace wafermark::llama
