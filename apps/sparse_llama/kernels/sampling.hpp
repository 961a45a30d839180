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

/// Numbers in their order as integers; what is no number comes first.
KOKKOS_INLINE_FUNCTION std::uint32_t ordered_key(float x) {
  if (x != x) return 0;
  const auto bits = Kokkos::bit_cast<std::uint32_t>(x + 0.0f);  // one zero
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/// A token and its logit as one integer: the greatest of several is that of the first of the largest logits.
KOKKOS_INLINE_FUNCTION std::int64_t ranked_token(float logit, std::int64_t token) {
  return (std::int64_t(ordered_key(logit)) - 0x80000000ll) * 0x100000000ll + (0xffffffffll - token);
}
KOKKOS_INLINE_FUNCTION std::int64_t token_of_rank(std::int64_t ranked) {
  return 0xffffffffll - (ranked & 0xffffffffll);
}

/// The largest integer of [low, high] for which `holds` is true, which it is up to some integer; low where it
/// is for none.
template <class Integer, class Holds>
KOKKOS_INLINE_FUNCTION Integer last_that_holds(Integer low, Integer high, const Holds& holds) {
  while (low < high) {
    const Integer middle = low + (high - low) / 2 + 1;
    if (holds(middle))
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

}  // namespace wafermark::llama
