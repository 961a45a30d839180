#include "sparse_llama/compress/token_stream.hpp"

#include <Random123/philox.h>

namespace wafermark::llama {

TokenBatch draw_batch(std::span<const std::int32_t> stream, std::int32_t bos, std::uint64_t seed,
                      std::int64_t step, std::int64_t first, std::int64_t count, std::int64_t length) {
  r123::Philox4x32 philox;
  const r123::Philox4x32::key_type key{{std::uint32_t(seed), std::uint32_t(seed >> 32)}};
  const auto places = std::uint64_t(std::int64_t(stream.size()) - length + 1);
  TokenBatch batch;
  for (std::int64_t s = first; s < first + count; ++s) {
    const auto bits =
        philox({{std::uint32_t(step), std::uint32_t(step >> 32), std::uint32_t(s), 0xba7cu}}, key);
    const std::uint64_t start = (std::uint64_t(bits[0]) << 32 | bits[1]) % places;
    const auto from = stream.begin() + std::ptrdiff_t(start);
    batch.tokens.push_back(bos);
    batch.tokens.insert(batch.tokens.end(), from, from + length - 1);
    batch.targets.insert(batch.targets.end(), from, from + length);
  }
  return batch;
}

}  // namespace wafermark::llama
