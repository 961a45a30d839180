// How fast this node reads memory, in the manner of STREAM (McCalpin 1995): what decoding is measured
// against.
#pragma once

#include "common/communicator.hpp"

namespace wafermark::llama {

/// Bytes per second of all ranks together reading arrays far larger than the caches, all threads of each: the
/// best of several sweeps, ranks starting together. Collective.
double memory_read_bandwidth(const Communicator& comm);

}  // namespace wafermark::llama
