// Small cases for the tests of the wafer target.
#pragma once

#include "tungsten_md/model/case.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {

/// A tungsten crystal of the built-in potential; `more`: further TOML.
inline Case wafer_case(const std::string& cells, const std::string& boundary, const std::string& more = "") {
  Deck deck = Deck::parse(
      "title = \"test\"\n"
      "wafer.machine = \"" WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml\"\n" +
          more + "\n[structure]\nlattice_constant_angstrom = 3.1652\ncells = " + cells + "\nboundary = " +
          boundary + "\n[temperature]\ndraw_k = 600.0\n[run]\ntimestep_ps = 0.002\nseed = 7\n",
      "test");
  return Case::read(deck);
}
inline const char* const all_open = "[\"open\", \"open\", \"open\"]";
inline const char* const all_periodic = "[\"periodic\", \"periodic\", \"periodic\"]";

inline Configuration crystal_of(const Case& what, const PotentialTables& potential) {
  Configuration start =
      build_crystal(*what.structure.lattice, what.structure.periodic, "W", potential.elements[0].mass_amu);
  start.elements = {"W"};
  start.masses = {potential.elements[0].mass_amu};
  return start;
}

/// A simulation with everything that it refers to.
struct WaferRun {
  Case what;
  PotentialTables potential;
  RegionTimes times;
  Communicator comm;
  WaferSimulation simulation;

  explicit WaferRun(Case c, MPI_Comm ranks = MPI_COMM_SELF)
      : what(std::move(c)),
        potential(what.load_potential()),
        comm(ranks),
        simulation(comm, what, TilePlan::make(comm, what, potential), crystal_of(what, potential), times) {}
};

}  // namespace wafermark::tungsten
