#include "sparse_llama/model/int4_slices.hpp"

#include <algorithm>

namespace wafermark::llama {
namespace {

/// Values of word w of all rows.
std::int64_t stored_in_words(const SliceMask& slice, std::int64_t w) {
  if (w >= slice.words) return 0;
  if (slice.mask == nullptr) return slice.rows * mask_columns;
  std::int64_t stored = 0;
  for (std::int64_t q = 0; q < slice.rows; ++q) stored += Kokkos::popcount(slice.mask[w * slice.rows + q]);
  return stored;
}

}  // namespace

std::int64_t int4_bytes(const SliceMask& slice) {
  std::int64_t bytes = 0;
  for (std::int64_t w = 0; w < slice.words; w += 2)
    bytes += std::max(stored_in_words(slice, w), stored_in_words(slice, w + 1));
  return bytes;
}

void fold_int4(const SliceMask& slice, const std::int8_t* values, Int4Pair* pairs) {
  for (std::int64_t w = 0; w < slice.words; w += 2) {
    const std::int64_t first = stored_in_words(slice, w), second = stored_in_words(slice, w + 1);
    for (std::int64_t i = 0; i < std::max(first, second); ++i) {
      const int low = i < first ? values[i] : 0, high = i < second ? values[first + i] : 0;
      pairs[i].bits = std::uint8_t((high & 15) << 4 | (low & 15));
    }
    values += first + second;
    pairs += std::max(first, second);
  }
}

void unfold_int4(const SliceMask& slice, const Int4Pair* pairs, std::int8_t* values) {
  for (std::int64_t w = 0; w < slice.words; w += 2)
    each_half(pairs, std::min<std::int64_t>(2, slice.words - w), [&](std::int64_t k, Int4Run& run) {
      for (std::int64_t n = stored_in_words(slice, w + k); n > 0; --n) *values++ = *run++;
    });
}

}  // namespace wafermark::llama
