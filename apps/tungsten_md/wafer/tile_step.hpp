// The time step of the tile program, phase by phase.
#pragma once

#include "tungsten_md/wafer/tile_items.hpp"
#include "wse_emulator/program.hpp"

namespace wafermark::tungsten {

struct TilePlan;
class WaferSimulation;

/// The step as a program: what the tiles compute, what they send, and what `run` does to the atoms meanwhile.
/// `run` null: to be priced, checked and printed only. Plan and items must outlive it.
wse::Program tile_step(const TilePlan& plan, const TileItems& items, WaferSimulation* run);
/// Of it, from the positions to the forces.
void add_forces(wse::Program& program, const TilePlan& plan, const TileItems& items, WaferSimulation* run);

}  // namespace wafermark::tungsten
