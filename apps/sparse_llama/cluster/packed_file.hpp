// Packed weights in an HDF5 file: what `convert` writes once, so that runs need not read and pack a
// checkpoint again. The file holds each rank's part as it lies in memory, written and read by all ranks
// together, each its own part; a run takes as many ranks as the file was made with.
//
//   /                    attributes wafermark_packed_llama (version), name_bytes, ranks, sizes, constants
//   /name                its bytes
//   /layers/L/...        norms [dim], matrices; in some architectures biases (ranks one after the other) and
//                        query_norm, key_norm [head_dim]
//   /final_norm, /embedding, /head
//   a matrix             parts [ranks][10]: rows, columns, slice, stored, elements of the six arrays below;
//                        attributes format, value (numbers of Format, ValueType); mask, slice_start, column,
//                        values, scales, scale_start: the arrays of PackedMatrix, ranks one after the other
#pragma once

#include <string>

#include "sparse_llama/cluster/rank_weights.hpp"

namespace wafermark::llama {

/// Under a temporary name, then renamed. Collective.
void write_packed(const Communicator& comm, const std::string& path, const RankWeights& weights);

/// Throws InputError: not such a file, damaged, made for another number of ranks. Collective.
RankWeights read_packed(const Communicator& comm, const std::string& path);

}  // namespace wafermark::llama
