#include "sparse_llama/cluster/packed_perplexity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sparse_llama/kernels/softmax_backward.hpp"
#include "sparse_llama/model/predicted_text.hpp"

namespace wafermark::llama {

double packed_perplexity(Decoder& decoder, std::int64_t vocabulary, std::span<const std::int32_t> text,
                         std::int32_t bos, std::int64_t window) {
  const PredictedText predicted(text, bos);
  const std::int64_t length = predicted.size();
  double sum = 0;
  for (std::int64_t begin = 0; begin < length; begin += window)
    for (std::int64_t first = begin; first < std::min(begin + window, length); first += Decoder::chunk_rows) {
      const std::int64_t last = std::min({begin + window, length, first + Decoder::chunk_rows});
      std::vector<TokenRow> rows;
      for (std::int64_t i = first; i < last; ++i) rows.push_back({predicted.before(i, begin), 0, i - begin});
      std::vector<std::int64_t> all(rows.size());
      std::iota(all.begin(), all.end(), 0);
      std::vector<float> logits = decoder.forward(rows, all);
      for (std::int64_t i = first; i < last; ++i)
        sum += double(cross_entropy(logits.data() + (i - first) * vocabulary, vocabulary,
                                    std::int64_t(predicted.targets()[std::size_t(i)])));
    }
  return std::exp(sum / double(length));
}

}  // namespace wafermark::llama
