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

/// A crystal as if it came from a file, without the atoms for which `leave_out(position)`; ids count from 1.
template <class LeaveOut>
Configuration structure_of(const Case& what, const PotentialTables& potential, const LeaveOut& leave_out) {
  const Configuration crystal = crystal_of(what, potential);
  Configuration left{crystal.box, crystal.elements, crystal.masses, {}};
  for (const Vec3& x : crystal.atoms.x) {
    if (leave_out(x)) continue;
    left.atoms.id.push_back(static_cast<std::int64_t>(left.atoms.id.size()) + 1);
    left.atoms.type.push_back(0);
    left.atoms.x.push_back(x);
    left.atoms.v.push_back({});
  }
  return left;
}

/// The same case as one that begins from a file.
inline Case from_file(Case what) {
  what.structure.lattice.reset();
  what.structure.file = "a file";
  return what;
}

/// Every atom gets an element by its id, in the order of the potential's.
inline Configuration as_alloy(Configuration c, const PotentialTables& potential) {
  c.elements.clear();
  c.masses.clear();
  for (const auto& element : potential.elements) {
    c.elements.push_back(element.symbol);
    c.masses.push_back(element.mass_amu);
  }
  for (std::size_t k = 0; k < c.atoms.size(); ++k)
    c.atoms.type[k] =
        static_cast<int>(c.atoms.id[k] * 7919 % 31 % static_cast<std::int64_t>(c.elements.size()));
  return c;
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
  /// From these atoms, with these tables.
  WaferRun(Case c, const Configuration& start, PotentialTables tables, MPI_Comm ranks = MPI_COMM_SELF)
      : what(std::move(c)),
        potential(std::move(tables)),
        comm(ranks),
        simulation(comm, what, TilePlan::make(comm, what, potential, &start), start, times) {}
};

}  // namespace wafermark::tungsten
