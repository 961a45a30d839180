// Attention of the rows of a pass to their sequences' cached keys and values.
#pragma once

#include <span>
#include <vector>

#include "sparse_llama/cluster/key_value_cache.hpp"
#include "sparse_llama/cluster/matrix_vectors.hpp"
#include "sparse_llama/model/forward_pass.hpp"

namespace wafermark::llama {

/// Rows [first, first + count) of a pass, all of one sequence.
struct RowRun {
  std::int64_t first, count;
};
/// Neighbouring rows of the same sequence, so many that with `heads_together` heads, which share their keys
/// and values, they fill a block of queries.
std::vector<RowRun> runs_of_rows(std::span<const TokenRow> rows, std::int64_t heads_together);

struct AttentionPass {
  Kokkos::View<TokenRow*, MemSpace> rows;
  std::span<const RowRun> runs;  ///< of the rows
  std::int64_t count;            ///< rows
  std::int64_t attended;         ///< positions of all rows
  std::int64_t first_slot;       ///< of the layer
  std::int64_t window;           ///< positions that a row attends to at most; 0: all
};

/// Each row's heads attend to its sequence up to its own position: out [rows][heads * head_dim] from the
/// queries, the first so many columns of `qkv`.
void attend_rows(const AttentionPass& pass, const Rows& qkv, std::int64_t heads, const KeyValueCache& cache,
                 const Rows& out);

}  // namespace wafermark::llama
