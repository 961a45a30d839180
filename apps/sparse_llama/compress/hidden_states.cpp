#include "sparse_llama/compress/hidden_states.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "sparse_llama/model/matrix_product.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

double bytes_of_sequence(const Configuration& c, std::int64_t length) {
  const double token = 4 * double(c.dim) + 2 * double(c.query_dim() + c.kv_dim()) + 3 * double(c.hidden) +
                       double(c.heads) * double(length);
  return sizeof(float) * double(length) * token;
}

/// Short sequences go together, for the sake of matrix products.
std::int64_t together(const Configuration& c, std::int64_t sequences, std::int64_t length) {
  constexpr double room = 256e6;
  const auto fit = std::int64_t(room / bytes_of_sequence(c, length));
  return std::clamp<std::int64_t>(fit, 1, std::min<std::int64_t>(8, std::max<std::int64_t>(1, sequences)));
}

}  // namespace

double pass_bytes(const Configuration& c, std::int64_t sequences, std::int64_t length) {
  return double(together(c, sequences, length)) * bytes_of_sequence(c, length);
}

HiddenStates::HiddenStates(const WeightSource& source, std::span<const std::int32_t> tokens,
                           std::int64_t length)
    : configuration_(source.configuration), length_(length) {
  const std::int64_t dim = configuration_.dim;
  expect_rows(tokens, configuration_.vocabulary, "text");
  streams_.resize(tokens.size() * std::size_t(dim));
  source.open(Matrix::embedding, 0);
  for (std::size_t i = 0; i < tokens.size(); ++i)
    source.row(Matrix::embedding, 0, tokens[i], 0, dim, streams_.data() + i * std::size_t(dim));
  source.close(Matrix::embedding, 0);
}

void HiddenStates::run(
    const std::function<void(const Block<float>&, BlockActivations<float>&, std::int64_t)>& visit) const {
  const std::int64_t sequences = rows() / length_, most = together(configuration_, sequences, length_);
  const auto go = [&](std::int64_t begin, std::int64_t end, std::int64_t count) {
    if (begin == end) return;
    const Block<float> block(configuration_, count, length_);
    BlockActivations<float> a = block.room();
    for (std::int64_t s = begin; s < end; s += count) {
      const std::int64_t first = s * length_ * configuration_.dim;
      std::copy_n(streams_.begin() + first, a.input.size(), a.input.begin());
      visit(block, a, first);
    }
  };
  const std::int64_t even = sequences / most * most;
  go(0, even, most);
  go(even, sequences, sequences - even);
}

void HiddenStates::look(const BlockWeights<float>& weights, const Look& look) const {
  run([&](const Block<float>& block, BlockActivations<float>& a, std::int64_t) {
    block.forward(weights, a);
    look(a, std::int64_t(a.attention_scale.size()));
  });
}

void HiddenStates::advance(const BlockWeights<float>& weights) {
  run([&](const Block<float>& block, BlockActivations<float>& a, std::int64_t first) {
    block.forward(weights, a);
    block.finish(weights, a, streams_.data() + first);
  });
}

std::vector<TokenLoss<float>> HiddenStates::losses(const std::vector<float>& final_norm,
                                                   const DenseMatrix& head,
                                                   std::span<const std::int32_t> targets) const {
  constexpr std::int64_t chunk = 256;
  const std::int64_t dim = configuration_.dim;
  expect_rows(targets, configuration_.vocabulary, "text");
  std::vector<TokenLoss<float>> losses(targets.size());
  for (std::int64_t first = 0; first < rows(); first += chunk) {
    const std::int64_t n = std::min(chunk, rows() - first);
    std::vector<float> scale(static_cast<std::size_t>(n)), normed(std::size_t(n * dim)),
        logits(std::size_t(n * head.rows));
    Block<float>(configuration_, 1, n)
        .norm(streams_.data() + first * dim, final_norm.data(), scale.data(), normed.data());
    linear(normed.data(), head.values.data(), logits.data(), n, dim, head.rows);
    float* row = logits.data();
    Kokkos::parallel_for("losses of tokens", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, n),
                         [&, row](std::int64_t i) {
                           const auto at = std::size_t(first + i);
                           losses[at] = token_loss(row + i * head.rows, head.rows, std::int64_t(targets[at]));
                         });
  }
  return losses;
}

}  // namespace wafermark::llama
