// Which token comes next.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::llama {

/// The first of the largest of n logits.
template <class T>
KOKKOS_INLINE_FUNCTION std::int64_t greedy_token(const T* logits, std::int64_t n) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i)
    if (logits[i] > logits[best]) best = i;
  return best;
}

/// Nucleus sampling (Holtzman et al. 2020): of n tokens in falling order of probability, the fewest whose
/// probabilities sum to `top_p`, and of these the one at `draw`, in [0, 1), of their sum.
template <class T>
KOKKOS_INLINE_FUNCTION std::int64_t nucleus_rank(const T* falling, std::int64_t n, T top_p, T draw) {
  std::int64_t kept = 0;
  T sum = 0;
  while (kept < n && (kept == 0 || sum < top_p)) sum += falling[kept++];
  T left = draw * sum;
  std::int64_t rank = 0;
  while (rank + 1 < kept && left >= falling[rank]) left -= falling[rank++];
  return rank;
}

}  // namespace wafermark::llama
