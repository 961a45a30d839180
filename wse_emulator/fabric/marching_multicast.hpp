// The marching multicast (Santos et al., SC24): every tile sends its words to all tiles at Chebyshev distance
// b.
//
// Two stages, along the rows and then, with what the rows brought, along the columns. In a stage the line is
// cut into strips of b + 1 tiles. In phase p the tile at position p of every strip is the head: its router
// sends east and west at once, on two colors; the b tiles beyond it pass on and keep a copy, the last only
// keeps. A command wavelet behind the words makes the next tile the head: it moves the switches of the head,
// the next tile and the strip's last one on in their round of three positions (body, head, tail) and leaves
// those between, which four commands of a wavelet say for b up to 17. So every link carries one head's
// words at a time, and after b + 1 phases every tile has the words of the b tiles on either side.
//
// Run backwards the pattern gathers: 2:1 sums flow from all tiles of the neighbourhood to each one.
#pragma once

#include <cstdint>

#include "wse_emulator/fabric/fabric_timing.hpp"

namespace wafermark::wse {

/// Cycles of one stage when all tiles begin together, w words a tile:
///   (b + 1) (2 (w + 1) + hop) + b hop + 2 T_R - 4    where both streams' words share a tile's ramp,
///   (b + 1) (w + 1 + hop) + b hop + 2 T_R            where they do not meet: b = 1, or w = 1.
/// A phase passes the words and command wavelets of both streams, then the hop to the next head; the last
/// words travel b hops (of `hops` links each on a folded ring, whose links carry both halves and are no
/// busier than the ramp). Within 5 cycles of router_reference for 1 to 45 words, b up to 7 and hops of 1
/// cycle. Tiles that begin at different times are done no later than these cycles after the latest start
/// within 2 b, but for the same 5. `streams`: 1 where only one side's words are wanted, which then never meet
/// the other's.
std::int64_t marching_stage_cycles(const FabricTiming& fabric, int b, int words, int hops = 1,
                                   int streams = 2);

/// Both stages: `words` a tile along the rows, (2b + 1) `words` along the columns. Within 10 cycles of
/// router_reference on squares of up to 32 x 32 tiles.
std::int64_t marching_multicast_cycles(const FabricTiming& fabric, int b, int words, int hops_x = 1,
                                       int hops_y = 1);

}  // namespace wafermark::wse
