#include "tungsten_md/commands/start_state.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/io/lammps_data.hpp"

namespace wafermark::tungsten {

int require_element(const Case& what, const PotentialTables& potential) {
  const std::string& element = what.structure.element;
  const int type = potential.element_index(element);
  if (type < 0)
    throw InputError(
        fmt::format("structure.element: found '{}', expected one of the potential's elements", element));
  return type;
}

RunShape shape_of_run(const Case& what, const PotentialTables& potential, double atoms, const Box& box,
                      int ranks) {
  RunShape shape;
  shape.atoms = atoms;
  shape.box = box;
  shape.grid = CartesianGrid::dims_for(ranks, what.run.rank_grid,
                                       {shape.box.length(0), shape.box.length(1), shape.box.length(2)});
  shape.list_radius = potential.cutoff_angstrom + what.run.skin_angstrom;
  shape.mixed = what.run.precision == "mixed";
  shape.list = what.run.neighbour_list == "auto"   ? best_list_kind()
               : what.run.neighbour_list == "half" ? ListKind::half
                                                   : ListKind::full;
  shape.alloy = potential.elements.size() > 1;
  return shape;
}

void require_memory_for_run(const Communicator& comm, const Case& what, const PotentialTables& potential) {
  const auto& lattice = what.structure.lattice;
  if (!lattice) return;
  const RunShape shape = shape_of_run(what, potential, static_cast<double>(lattice->size()),
                                      lattice->box(what.structure.periodic), comm.size());
  require_memory(comm, run_bytes(shape), fmt::format("{} atoms on {} ranks", lattice->size(), comm.size()));
}

Configuration starting_state(const Communicator& comm, const Case& what, const PotentialTables& potential) {
  const StructureSettings& s = what.structure;
  Configuration start;
  if (s.lattice) {
    require_memory(comm, start_bytes(static_cast<double>(s.lattice->size()) / comm.size()),
                   fmt::format("{} atoms on {} ranks", s.lattice->size(), comm.size()));
    const int type = require_element(what, potential);
    // Slices along x; the domain sends the atoms on to their owners.
    const Box box = s.lattice->box(s.periodic);
    Vec3 lo = box.lo, hi = box.hi;
    const auto edge = [&](int rank) {
      return rank == comm.size() ? box.hi[0] : box.lo[0] + box.length(0) * rank / comm.size();
    };
    lo[0] = edge(comm.rank());
    hi[0] = edge(comm.rank() + 1);
    start = build_crystal(*s.lattice, s.periodic, s.element,
                          potential.elements[static_cast<std::size_t>(type)].mass_amu, lo, hi);
    for (int& t : start.atoms.type) t = type;
  } else {
    start = read_lammps_data(comm, s.file, {s.periodic, what.potential.elements});
  }
  start.elements.clear();
  start.masses.clear();
  for (const auto& e : potential.elements) {
    start.elements.push_back(e.symbol);
    start.masses.push_back(e.mass_amu);
  }
  return start;
}

}  // namespace wafermark::tungsten
