// Slices of int4 values between what they are packed from, a byte for each value in the order of the mask
// bits, and what is stored: two in a byte, as kernels/int4_values.hpp says.
#pragma once

#include "sparse_llama/kernels/int4_values.hpp"

namespace wafermark::llama {

/// The mask words [words][rows] of a slice; null: every column is stored.
struct SliceMask {
  const MaskWord* mask;
  std::int64_t words, rows;
};

/// Bytes that its values take.
std::int64_t int4_bytes(const SliceMask& slice);

/// From integers within -8 and 7 to int4_bytes() pairs, and back.
void fold_int4(const SliceMask& slice, const std::int8_t* values, Int4Pair* pairs);
void unfold_int4(const SliceMask& slice, const Int4Pair* pairs, std::int8_t* values);

}  // namespace wafermark::llama
