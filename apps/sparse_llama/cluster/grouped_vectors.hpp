// Vectors taken apart into the groups that share a scale, for the loops that put them where rows want them.
#pragma once

#include <type_traits>

#include "sparse_llama/cluster/packed_rows.hpp"
#include "sparse_llama/kernels/quantise.hpp"

namespace wafermark::llama {

/// Vectors that are multiplied with rows of Value. Group k is number k % groups of vector k / groups.
template <class Value>
struct GroupedVectors {
  const float* x;
  std::int64_t stride, columns, groups;
  float* scales;  ///< [vectors][groups], of int8 and int4 rows

  /// Calls body(j, word, inverse) for each word of group k, mask_columns elements from column j on with zeros
  /// behind the last. For integers the group's scale is noted, and `inverse` is its inverse; else 1.
  template <class Body>
  KOKKOS_INLINE_FUNCTION void each_word(std::int64_t k, const Body& body) const {
    const float* from = x + k / groups * stride;
    const std::int64_t first = k % groups * group_columns, end = Kokkos::min(first + group_columns, columns);
    float inverse = 1;
    if constexpr (is_scaled<Value>) {
      scales[k] = group_scale(from + first, end - first, element_range<Value>);
      inverse = inverse_or_zero(scales[k]);
    }
    for (std::int64_t j = first; j < end; j += mask_columns) {
      if (j + mask_columns <= columns) {
        body(j, from + j, inverse);
        continue;
      }
      float word[mask_columns] = {};
      for (std::int64_t i = j; i < columns; ++i) word[i - j] = from[i];
      body(j, word, inverse);
    }
  }
};

}  // namespace wafermark::llama
