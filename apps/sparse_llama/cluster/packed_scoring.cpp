#include "sparse_llama/cluster/packed_scoring.hpp"

#include <algorithm>
#include <numeric>

#include "sparse_llama/kernels/softmax_backward.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

/// Tokens [first, first + count) of a sequence, with logits behind those from `wanted_from` on.
std::vector<float> run_part(Decoder& decoder, const ScoredSequence& s, std::int64_t first, std::int64_t count,
                            std::int64_t wanted_from) {
  std::vector<TokenRow> rows;
  for (std::int64_t i = first; i < first + count; ++i) rows.push_back({s.shown[std::size_t(i)], 0, i});
  std::vector<std::int64_t> wanted(std::size_t(first + count - wanted_from));
  std::iota(wanted.begin(), wanted.end(), wanted_from - first);
  return decoder.forward(rows, wanted);
}

}  // namespace

std::vector<SequenceScore> packed_score(Decoder& decoder, std::int64_t vocabulary,
                                        std::span<const ScoredSequence> sequences, const LogitsWatch& watch) {
  std::vector<SequenceScore> scores(sequences.size());
  for (std::size_t n = 0; n < sequences.size(); ++n) {
    const ScoredSequence& s = sequences[n];
    expect_rows(s.targets, vocabulary, "text");
    for (std::int64_t first = 0; first < s.length(); first += Decoder::chunk_rows) {
      const std::int64_t end = std::min(s.length(), first + Decoder::chunk_rows);
      const std::int64_t from = watch ? first : std::clamp(s.first_scored, first, end);
      std::vector<float> logits = run_part(decoder, s, first, end - first, from);
      if (watch) {
        std::vector<TokenRow> rows;
        for (std::int64_t i = from; i < end; ++i)
          rows.push_back({s.shown[std::size_t(i)], std::int32_t(n), i});
        watch(rows, logits);
      }
      for (std::int64_t i = std::max(from, s.first_scored); i < end; ++i) {
        const std::int64_t target = s.targets[std::size_t(i)];
        const auto [loss, most_likely] =
            token_loss(logits.data() + (i - from) * vocabulary, vocabulary, target);
        scores[n].add(-double(loss), most_likely);
      }
    }
  }
  return scores;
}

}  // namespace wafermark::llama
