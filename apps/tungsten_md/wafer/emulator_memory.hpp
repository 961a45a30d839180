// What emulating a wafer takes of a rank's memory, by arithmetic: asked before an atom is made.
#pragma once

#include "tungsten_md/wafer/tile_plan.hpp"

namespace wafermark::tungsten {

/// Bytes on each of so many ranks: every rank knows where all atoms are, and emulates its share of the tiles.
double emulator_bytes(const TilePlan& plan, int ranks);

}  // namespace wafermark::tungsten
