// The CPU's matrix unit (AMX), where the CPU has one, the operating system lets us use it, and it gives the
// bits that the other kernels give.
#pragma once

#include <string>

#include "sparse_llama/model/packed_matrix.hpp"

namespace wafermark::llama {

struct MatrixUnit {
  bool there = false;               ///< and the operating system has allowed it
  bool int8 = false, bf16 = false;  ///< it multiplies these: its check was passed
  std::string in_words;             ///< "AMX", or why not

  bool multiplies(ValueType type) const {
    return (type == ValueType::int8 && int8) || (type == ValueType::bf16 && bf16);
  }
};

/// Of this process; asked, allowed and checked once.
const MatrixUnit& matrix_unit();

/// So many vectors that it multiplies tiles with: a block of them is full. Fewer go the usual way.
inline constexpr std::int64_t unit_from = 16;

/// out[v] = matrix x[v], or out[v] += that, of Value (int8, bf16) in tiles, which the unit multiplies.
/// `bytes` has room for room_for_unit() bytes, `scales` of int8 for [vectors][groups].
template <class Value>
void multiply_by_matrix_unit(const PackedMatrix& matrix, const float* x, std::int64_t x_stride,
                             std::int64_t vectors, bool accumulate, float* out, std::int64_t stride,
                             std::int8_t* bytes, float* scales);
std::int64_t room_for_unit(const PackedMatrix& matrix, std::int64_t vectors);

}  // namespace wafermark::llama
