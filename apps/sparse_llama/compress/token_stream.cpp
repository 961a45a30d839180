#include "sparse_llama/compress/token_stream.hpp"

#include <Random123/philox.h>
#include <fmt/format.h>

#include "common/errors.hpp"
#include "sparse_llama/model/predicted_text.hpp"

namespace wafermark::llama {

TokenBatch draw_batch(std::span<const std::int32_t> stream, std::int32_t bos, std::uint64_t seed,
                      std::int64_t step, std::int64_t first, std::int64_t count, std::int64_t length) {
  r123::Philox4x32 philox;
  const r123::Philox4x32::key_type key{{std::uint32_t(seed), std::uint32_t(seed >> 32)}};
  const PredictedText predicted(stream, bos);
  if (predicted.size() < length)
    throw InputError(fmt::format("text: found {} tokens, expected at least {} for sequences of {}",
                                 stream.size(), shortest_stream(bos, length), length));
  const auto places = std::uint64_t(predicted.size() - length + 1);
  TokenBatch batch;
  for (std::int64_t s = first; s < first + count; ++s) {
    const auto bits =
        philox({{std::uint32_t(step), std::uint32_t(step >> 32), std::uint32_t(s), 0xba7cu}}, key);
    const auto start = std::int64_t((std::uint64_t(bits[0]) << 32 | bits[1]) % places);
    for (std::int64_t i = start; i < start + length; ++i) batch.tokens.push_back(predicted.before(i, start));
    const auto targets = predicted.targets().subspan(std::size_t(start), std::size_t(length));
    batch.targets.insert(batch.targets.end(), targets.begin(), targets.end());
  }
  return batch;
}

}  // namespace wafermark::llama
