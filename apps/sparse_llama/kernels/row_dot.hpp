// One row of a matrix times a vector, in each storage format; portable to every device. T is the type of the
// sum: float for weights in fp32 and bf16, 32-bit integers for int8 weights times int16 activations.
#pragma once

#include "sparse_llama/kernels/value_types.hpp"

namespace wafermark::llama {

/// sum_j w_j x_j over n columns; of these, lane l of `lanes` takes l, l + lanes, ... `w` is what an iterator
/// offers.
template <class T, class Values, class X>
KOKKOS_INLINE_FUNCTION T dense_dot(const Values& w, const X* x, std::int64_t n, int lane = 0, int lanes = 1) {
  T sum = 0;
  for (std::int64_t j = lane; j < n; j += lanes) sum += T(w[j]) * T(x[j]);
  return sum;
}

/// H rows whose mask words stand side by side: for each word, that of every row. Columns whose bit is set are
/// stored one after the other in `w`, which moves on to the first value after them. Adds each row's share to
/// its sum; of several lanes that walk the words in step, lane l takes columns l, l + lanes, ... of each
/// word, so that neighbouring lanes read neighbouring values. `w` is what an iterator offers.
template <class T, int H, class Values, class X>
KOKKOS_INLINE_FUNCTION void masked_dots(const MaskWord* mask, std::int64_t words, Values& w, const X* x,
                                        T (&sums)[H], int lane = 0, int lanes = 1) {
  for (std::int64_t i = 0; i < words; ++i, x += mask_columns)
    for (int q = 0; q < H; ++q) {
      const MaskWord all = *mask++;
      if (lanes == 1) {
        for (MaskWord rest = all; rest != 0; rest &= rest - 1)
          sums[q] += T(*w++) * T(x[Kokkos::countr_zero(rest)]);
        continue;
      }
      for (int c = lane; c < mask_columns; c += lanes)
        if (all >> c & 1) {
          const MaskWord before = all & ((MaskWord(1) << c) - 1);
          sums[q] += T(w[Kokkos::popcount(before)]) * T(x[c]);
        }
      w += Kokkos::popcount(all);
    }
}

/// Bits of a mask word.
template <class Word>
inline constexpr std::int64_t bits_of = 8 * sizeof(Word);

/// The transpose: adds x times the stored values to the sums whose bit is set in `words` mask words. For a
/// matrix kept by columns, where a column is multiplied when its x arrives. `w` and `sums` are what an
/// iterator and an array of T offer.
template <class Word, class Values, class T, class Sums>
KOKKOS_INLINE_FUNCTION void masked_add(const Word* mask, std::int64_t words, Values w, T x, Sums sums) {
  using Kokkos::countr_zero;
  for (std::int64_t i = 0; i < words; ++i)
    for (Word rest = mask[i]; rest != 0; rest &= rest - 1)
      sums[i * bits_of<Word> + countr_zero(rest)] += T(*w++) * x;
}

/// The share of masked_add of one lane of several that walk the words in step, as in masked_dots: no
/// two lanes add to the same sum. `w` moves on to the first value after them.
template <class T, class Values>
KOKKOS_INLINE_FUNCTION void masked_add_of_lane(const MaskWord* mask, std::int64_t words, Values& w, T x,
                                               T* sums, int lane, int lanes) {
  for (std::int64_t i = 0; i < words; ++i) {
    const MaskWord all = mask[i];
    for (int c = lane; c < mask_columns; c += lanes)
      if (all >> c & 1)
        sums[i * mask_columns + c] += T(w[Kokkos::popcount(all & ((MaskWord(1) << c) - 1))]) * x;
    w += Kokkos::popcount(all);
  }
}

/// The same for a column that is stored whole.
template <class Values, class T, class Sums>
KOKKOS_INLINE_FUNCTION void dense_add(Values w, std::int64_t n, T x, Sums sums) {
  for (std::int64_t i = 0; i < n; ++i) sums[i] += T(*w++) * x;
}

/// Columns listed by number (CSR).
template <class T, class Value, class X>
KOKKOS_INLINE_FUNCTION T indexed_dot(const std::uint16_t* columns, const Value* w, const X* x, std::int64_t n,
                                     int lane = 0, int lanes = 1) {
  T sum = 0;
  for (std::int64_t j = lane; j < n; j += lanes) sum += T(w[j]) * T(x[columns[j]]);
  return sum;
}

}  // namespace wafermark::llama
