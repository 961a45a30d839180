#include "sparse_llama/compress/scoring.hpp"

#include <algorithm>

#include "common/errors.hpp"
#include "sparse_llama/compress/hidden_states.hpp"
#include "sparse_llama/model/shares.hpp"

namespace wafermark::llama {
namespace {

/// Streams that a pass through the model keeps at once; more sequences take several passes.
constexpr double most_stream_bytes = 512e6;

/// Neighbours of one length, as one batch.
struct Batch {
  std::size_t first, count;
};

std::vector<Batch> batches_of(std::span<const ScoredSequence> sequences) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < sequences.size(); ++i)
    if (!batches.empty() && sequences[i].length() == sequences[batches.back().first].length())
      ++batches.back().count;
    else
      batches.push_back({i, 1});
  return batches;
}

/// One pass through the model.
std::vector<SequenceScore> score_together(const WeightSource& source,
                                          std::span<const ScoredSequence> sequences) {
  const std::vector<Batch> batches = batches_of(sequences);
  std::vector<HiddenStates> states;
  for (const Batch& b : batches) {
    std::vector<std::int32_t> tokens;
    for (const ScoredSequence& s : sequences.subspan(b.first, b.count))
      tokens.insert(tokens.end(), s.shown.begin(), s.shown.end());
    states.emplace_back(source, tokens, sequences[b.first].length());
  }
  for (std::int64_t l = 0; l < source.configuration.layers; ++l) {
    const DenseLayer layer = dense_layer(source, l);
    for (HiddenStates& s : states) s.advance(weights_of(layer));
  }
  const bool tied = source.configuration.tied_embeddings;
  const DenseMatrix head = dense_matrix(source, tied ? Matrix::embedding : Matrix::head, 0);
  const std::vector<float> norm = source.vector(Vector::final_norm, 0);
  std::vector<SequenceScore> scores(sequences.size());
  for (std::size_t b = 0; b < batches.size(); ++b) {
    const auto own = sequences.subspan(batches[b].first, batches[b].count);
    std::vector<std::int32_t> targets;
    for (const ScoredSequence& s : own) targets.insert(targets.end(), s.targets.begin(), s.targets.end());
    const std::vector<TokenLoss<float>> losses = states[b].losses(norm, head, targets);
    std::size_t at = 0;
    for (std::size_t i = 0; i < own.size(); ++i)
      for (std::int64_t t = 0; t < own[i].length(); ++t, ++at)
        if (t >= own[i].first_scored)
          scores[batches[b].first + i].add(-double(losses[at].loss), losses[at].most_likely);
  }
  return scores;
}

/// This rank's share, in as many passes as it takes.
std::vector<SequenceScore> score_share(const WeightSource& source,
                                       std::span<const ScoredSequence> sequences) {
  std::vector<SequenceScore> scores;
  std::size_t first = 0;
  while (first < sequences.size()) {
    double bytes = 0;
    std::size_t end = first;
    while (end < sequences.size()) {
      bytes += sizeof(float) * double(sequences[end].length()) * double(source.configuration.dim);
      if (end > first && bytes > most_stream_bytes) break;
      ++end;
    }
    const auto part = score_together(source, sequences.subspan(first, end - first));
    scores.insert(scores.end(), part.begin(), part.end());
    first = end;
  }
  return scores;
}

/// Those of all ranks, one after the other.
std::vector<SequenceScore> of_all_ranks(const Communicator& comm, const std::vector<SequenceScore>& own) {
  std::vector<double> sums, squares;
  std::vector<std::int64_t> tokens;
  std::vector<char> most_likely;
  for (const SequenceScore& s : own) {
    sums.push_back(s.log_likelihood);
    squares.push_back(s.squares);
    tokens.push_back(s.tokens);
    most_likely.push_back(s.all_most_likely ? 1 : 0);
  }
  sums = comm.all_gather(sums);
  squares = comm.all_gather(squares);
  tokens = comm.all_gather(tokens);
  most_likely = comm.all_gather(most_likely);
  std::vector<SequenceScore> all;
  for (std::size_t i = 0; i < sums.size(); ++i)
    all.push_back({sums[i], squares[i], tokens[i], most_likely[i] != 0});
  return all;
}

}  // namespace

double scoring_bytes(const Configuration& c, std::int64_t length) {
  const double layer = double(c.dim) * (2 * double(c.query_dim() + c.kv_dim()) + 3 * double(c.hidden)),
               head = double(c.vocabulary) * double(c.dim),
               stream = sizeof(float) * double(length) * double(c.dim);
  return sizeof(float) * std::max(layer, head) + std::max(most_stream_bytes, 2 * stream) +
         pass_bytes(c, 8, length) + sizeof(float) * 256 * double(c.vocabulary);
}

std::vector<SequenceScore> score(const Communicator& comm, const WeightSource& source,
                                 std::span<const ScoredSequence> sequences) {
  const Share own = share_of(std::int64_t(sequences.size()), comm.rank(), comm.size());
  std::vector<SequenceScore> scores;
  std::string damage;  // a file that is damaged is so for the ranks that read it
  try {
    scores = score_share(source, sequences.subspan(std::size_t(own.first), std::size_t(own.count)));
  } catch (const InputError& e) {
    damage = e.what();
  }
  comm.throw_together(!damage.empty(), damage);
  return of_all_ranks(comm, scores);
}

}  // namespace wafermark::llama
