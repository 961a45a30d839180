#include "sparse_llama/compress/perplexity.hpp"

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/compress/hidden_states.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/predicted_text.hpp"
#include "sparse_llama/model/shares.hpp"

namespace wafermark::llama {
namespace {

/// Streams that a pass through the model keeps at once; longer texts take several passes.
constexpr double most_stream_bytes = 512e6;

/// A piece of the text that a rank predicts: windows of one length.
struct Piece {
  std::int64_t first, windows, window;
  std::int64_t size() const { return windows * window; }
};

/// Sum of -log p over the pieces, in one pass through the model.
double loss_of(const WeightSource& source, const PredictedText& predicted, std::span<const Piece> pieces) {
  std::vector<HiddenStates> states;
  for (const Piece& p : pieces) {
    std::vector<std::int32_t> tokens;
    for (std::int64_t i = p.first; i < p.first + p.size(); ++i)
      tokens.push_back(predicted.before(i, i - (i - p.first) % p.window));
    states.emplace_back(source, tokens, p.window);
  }
  for (std::int64_t l = 0; l < source.configuration.layers; ++l) {
    const DenseLayer layer = dense_layer(source, l);
    for (HiddenStates& s : states) s.advance(weights_of(layer));
  }
  const bool tied = source.configuration.tied_embeddings;
  const DenseMatrix head = dense_matrix(source, tied ? Matrix::embedding : Matrix::head, 0);
  const std::vector<float> norm = source.vector(Vector::final_norm, 0);
  double sum = 0;
  for (std::size_t i = 0; i < states.size(); ++i)
    sum += states[i].loss(
        norm, head, predicted.targets().subspan(std::size_t(pieces[i].first), std::size_t(pieces[i].size())));
  return sum;
}

}  // namespace

double perplexity_bytes(const Configuration& c, std::int64_t window) {
  const double layer = double(c.dim) * (2 * double(c.query_dim() + c.kv_dim()) + 3 * double(c.hidden)),
               head = double(c.vocabulary) * double(c.dim),
               stream = sizeof(float) * double(window) * double(c.dim);
  return sizeof(float) * std::max(layer, head) + std::max(most_stream_bytes, 2 * stream) +
         pass_bytes(c, 8, window) + sizeof(float) * 256 * double(c.vocabulary);
}

double perplexity(const Communicator& comm, const WeightSource& source, std::span<const std::int32_t> text,
                  std::int32_t bos, std::int64_t window) {
  const PredictedText predicted(text, bos);
  const std::int64_t length = predicted.size(), whole = length / window;
  const Share own = share_of(whole, comm.rank(), comm.size());
  const auto at_once = std::max<std::int64_t>(
      1,
      std::int64_t(most_stream_bytes / (sizeof(float) * double(window) * double(source.configuration.dim))));
  std::vector<std::vector<Piece>> passes;
  for (std::int64_t w = own.first; w < own.first + own.count; w += at_once)
    passes.push_back({{w * window, std::min(at_once, own.first + own.count - w), window}});
  if (comm.rank() == comm.size() - 1 && length % window > 0) {
    if (passes.empty()) passes.emplace_back();
    passes.back().push_back({whole * window, 1, length % window});
  }
  double sum = 0;
  std::string damage;  // a file that is damaged is so for the ranks that read it
  try {
    for (const std::vector<Piece>& pieces : passes) sum += loss_of(source, predicted, pieces);
  } catch (const InputError& e) {
    damage = e.what();
  }
  comm.throw_together(!damage.empty(), damage);
  return std::exp(comm.sum(sum) / double(length));
}

double perplexity(const Communicator& comm, const Configuration& configuration,
                  const std::vector<float>& parameters, std::span<const std::int32_t> text, std::int32_t bos,
                  std::int64_t window) {
  return perplexity(comm, parameter_source(configuration, parameters), text, bos, window);
}

}  // namespace wafermark::llama
