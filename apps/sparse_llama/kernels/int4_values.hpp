// Integers of 4 bits, two in a byte, side by side with their masks.
//
// The values of a group (128 columns of the rows of a slice or tile) lie one after the other as their mask
// bits do: those of its first 64 columns in the lower halves of the group's bytes, from the first byte on,
// those of the others in the upper halves, from the first byte on as well. Both come out of the bytes by an
// `and`, which leaves a CPU's shuffles to the expansion by the mask; a group takes as many bytes as the half
// that holds more, 3 % more at 70 % zeros in tiles of sixteen rows than values one after the other. Rows that
// are stored whole take 64 bytes a group.
#pragma once

#include "sparse_llama/kernels/value_types.hpp"

namespace wafermark::llama {

/// The values of one half of a group, one after the other: what an iterator over integers offers.
struct Int4Run {
  const Int4Pair* pairs;
  int shift;  ///< 0: lower halves of the bytes, 4: upper ones
  std::int64_t next = 0;

  KOKKOS_INLINE_FUNCTION std::int8_t operator[](std::int64_t i) const {
    return std::int8_t(std::int8_t(pairs[next + i].bits >> shift << 4) >> 4);
  }
  KOKKOS_INLINE_FUNCTION std::int8_t operator*() const { return (*this)[0]; }
  KOKKOS_INLINE_FUNCTION Int4Run& operator+=(std::int64_t n) {
    next += n;
    return *this;
  }
  KOKKOS_INLINE_FUNCTION Int4Run& operator++() { return *this += 1; }
  KOKKOS_INLINE_FUNCTION Int4Run operator++(int) {
    const Int4Run before = *this;
    next += 1;
    return before;
  }
};

/// A group of H rows that has `words` (1 or 2) mask words of each row: calls visit(k, run) for k in [0,
/// words) with its words [k * H, (k + 1) * H) in the order of the masks and the values that belong to them,
/// which visit() moves on behind the last. `pairs` moves on to the next group.
template <class Visit>
KOKKOS_INLINE_FUNCTION void each_half(const Int4Pair*& pairs, std::int64_t words, const Visit& visit) {
  std::int64_t most = 0;
  for (std::int64_t k = 0; k < words; ++k) {
    Int4Run run{pairs, int(4 * k)};
    visit(k, run);
    most = run.next > most ? run.next : most;
  }
  pairs += most;
}

/// Bytes that a group of so many rows takes beyond half of its values when each is stored with probability
/// `density`: half the mean difference of two binomial numbers, as if it were normal.
KOKKOS_INLINE_FUNCTION constexpr double int4_excess(std::int64_t rows, double density) {
  const double variance = 2.0 * double(rows * mask_columns) * density * (1 - density);
  double root = variance > 1 ? variance : 1.0;
  for (int k = 0; k < 30; ++k) root = 0.5 * (root + variance / root);
  return 0.39894228 * root;
}

}  // namespace wafermark::llama
