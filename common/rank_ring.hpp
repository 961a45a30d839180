// Sums over ranks of which each keeps its share, and the way back: what an all-reduce does in one go, for
// arrays whose owners do something with the sums in between. Values go round a ring of ranks (Patarasuk and
// Yuan 2009): each rank sends and receives (ranks - 1) / ranks of the array, and additions come in an order
// that hangs on the number of ranks alone, so that the same ranks get the same bits.
#pragma once

#include <cstdint>

#include "common/communicator.hpp"
#include "common/share.hpp"

namespace wafermark {

/// values[0, n) += those of the other ranks, on each rank only in share_of(n, rank, ranks); what else is in
/// `values` afterwards is of no use. T = float, double. Collective.
template <class T>
void sum_to_shares(const Communicator& comm, T* values, std::int64_t n);

/// Each rank's share_of(n, rank, ranks) of values[0, n), to all of them. Collective.
template <class T>
void gather_shares(const Communicator& comm, T* values, std::int64_t n);

}  // namespace wafermark
