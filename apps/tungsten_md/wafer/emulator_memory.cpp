#include "tungsten_md/wafer/emulator_memory.hpp"

namespace wafermark::tungsten {

double emulator_bytes(const TilePlan& plan, int ranks) {
  // As measured: growth of resident memory from 30,000 to 270,000 atoms on one rank and on two, and with four
  // tiles an atom; a neighbour list is counted for itself.
  constexpr double of_an_atom = 260, of_its_tile = 370, of_a_machine_tile = 171, beside = 30e6;
  constexpr double headroom = 1.3;
  const double atoms = static_cast<double>(plan.layout.atoms()),
               tiles = static_cast<double>(plan.layout.tiles()) / ranks,
               machine_tiles = static_cast<double>(plan.grid.tiles()) / ranks;
  const double of_a_list = 2.0 * plan.list_capacity;
  return beside + headroom * (of_an_atom * atoms + (of_its_tile + of_a_list) * tiles +
                              of_a_machine_tile * machine_tiles);
}

}  // namespace wafermark::tungsten
