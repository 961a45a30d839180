#include "tungsten_md/commands/start_state.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "tungsten_md/io/lammps_data.hpp"

namespace wafermark::tungsten {

Configuration starting_state(const Communicator& comm, const Case& what, const PotentialTables& potential) {
  const StructureSettings& s = what.structure;
  Configuration start;
  if (s.lattice) {
    const int type = potential.element_index(s.element);
    if (type < 0)
      throw InputError(
          fmt::format("structure.element: found '{}', expected one of the potential's elements", s.element));
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
