// The CPU's matrix unit (AMX), where the CPU has one, the operating system lets us use it, and it gives the
// bits that the other kernels give.
#pragma once

#include <string>

#include "sparse_llama/model/packed_matrix.hpp"

namespace wafermark::llama {

struct MatrixUnit {
  bool there = false;    ///< and the operating system has allowed it
  bool works = false;    ///< its check was passed
  std::string in_words;  ///< "AMX", or why not
};

/// Of this process; asked, allowed and checked once.
const MatrixUnit& matrix_unit();

/// So many vectors that it multiplies int8 tiles with; fewer go the usual way.
inline constexpr std::int64_t unit_from = 16;

/// out[v] = matrix x[v], or out[v] += that, of int8 in tiles, where the unit works. `bytes` has room for
/// room_for_unit() bytes, `scales` for [vectors][groups].
void multiply_by_matrix_unit(const PackedMatrix& matrix, const float* x, std::int64_t x_stride,
                             std::int64_t vectors, bool accumulate, float* out, std::int64_t stride,
                             std::int8_t* bytes, float* scales);
std::int64_t room_for_unit(const PackedMatrix& matrix, std::int64_t vectors);

}  // namespace wafermark::llama
