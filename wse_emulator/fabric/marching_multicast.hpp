// The marching multicast (Santos et al., SC24): every tile sends its words to all tiles at Chebyshev distance b.
//
// Two stages, along the rows and then, with what the rows brought, along the columns. In a stage the line is cut
// into strips of b + 1 tiles. In phase p the tile at position p of every strip is the head: its router sends east
// and west at once, on two colors; the b tiles beyond it pass on and keep a copy, the last only keeps. A command
// wavelet behind the words makes the next tile the head. So every link carries one head's words at a time, and
// after b + 1 phases every tile has the words of the b tiles on either side.
//
// Run backwards the pattern gathers: 2:1 sums flow from all tiles of the neighbourhood to each one.
#pragma once

#include <cstdint>

#include "wse_emulator/fabric/fabric_timing.hpp"

namespace wafermark::wse {

/// Cycles of one stage when all tiles begin together. A phase takes as long as the words of both sides need to
/// pass one ramp, or one head's words, its command wavelet and the hop to the next head; the last words still
/// have to travel b hops (of `hops` links each on a folded ring) and down the ramp. On a folded ring a link
/// carries the words of both halves, which keeps it no busier than the ramp. Checked against router_reference.
std::int64_t marching_stage_cycles(const FabricTiming& fabric, int b, int words, int hops = 1);

/// Both stages: `words` a tile along the rows, (2b + 1) `words` along the columns.
std::int64_t marching_multicast_cycles(const FabricTiming& fabric, int b, int words, int hops_x = 1, int hops_y = 1);

/// Words that cross links because of one tile, over both stages (commands included): for energy and load.
std::int64_t marching_multicast_hops(int b, int words, int hops_x = 1, int hops_y = 1);

}  // namespace wafermark::wse
