// How fast this node reads memory, in the manner of STREAM (McCalpin 1995): what decoding is measured
// against.
#pragma once

#include "sparse_llama/cluster/rank_weights.hpp"

namespace wafermark::llama {

/// Bytes per second of all ranks together when all threads of each read the weights that a token multiplies,
/// from end to end, and only sum their words: the best of several sweeps, ranks starting together. The
/// weights where they lie, since pages of one machine differ: in one virtual machine some 256 MiB read at 45
/// GB/s and others at 70, time and again. Where a rank has less than that, which caches might hold, an array
/// of this size instead. Collective.
double memory_read_bandwidth(const Communicator& comm, const RankWeights& weights);

}  // namespace wafermark::llama
