// The rows of a matrix that a rank prunes: ranks share a matrix by rows, and choose together.
#pragma once

#include <cstdint>

namespace wafermark::llama {

struct PrunedRows {
  float* weights;  ///< [count, columns]
  std::int64_t count, columns;
  std::int64_t all;  ///< rows of all ranks; ranks hold theirs in their order
};

}  // namespace wafermark::llama
