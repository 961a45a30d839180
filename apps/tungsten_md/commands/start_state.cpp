#include "tungsten_md/commands/start_state.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/io/close_atoms.hpp"
#include "tungsten_md/io/state_file.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {
namespace {

std::vector<std::string> symbols_of(const PotentialTables& potential) {
  std::vector<std::string> symbols;
  for (const auto& e : potential.elements) symbols.push_back(e.symbol);
  return symbols;
}

/// The potential's type of each type of a file: by symbol where the file names elements, else by number.
std::vector<int> types_of(const Configuration& state, const PotentialTables& potential,
                          const std::string& file) {
  const std::vector<std::string> symbols = symbols_of(potential);
  std::vector<int> types;
  for (std::size_t t = 0; t < state.elements.size(); ++t) {
    const std::string& name = state.elements[t];
    const bool numbered = name == std::to_string(t + 1);
    const bool same = t < symbols.size() && (symbols[t] == name || numbered);
    types.push_back(same ? static_cast<int>(t) : potential.element_index(name));
    if (types.back() < 0)
      throw InputError(fmt::format("{}: found atoms of '{}', expected elements of the potential: {}", file,
                                   name, fmt::join(symbols, ", ")));
  }
  return types;
}

/// Isotopes and rounding differ by less, neighbours in the periodic table by more (but Co and Ni).
constexpr double mass_tolerance = 0.025;

void require_masses(const Configuration& state, const std::vector<int>& types,
                    const PotentialTables& potential, const std::string& file) {
  for (std::size_t t = 0; t < types.size(); ++t) {
    const double found = t < state.masses.size() ? state.masses[t] : 0.0;
    const auto& element = potential.elements[static_cast<std::size_t>(types[t])];
    if (!(found > 0.0) || std::abs(found - element.mass_amu) <= mass_tolerance * element.mass_amu) continue;
    const std::string_view whose = element_of_mass(found);
    throw InputError(fmt::format(
        "{}: found a mass of {} for type {}{}, expected {}, that of the potential's {}", file, found, t + 1,
        whose.empty() ? "" : fmt::format(" (of {})", whose), element.mass_amu, element.symbol));
  }
}

/// Of a random alloy, drawn by the site's number: the same on any number of ranks and any target.
int type_of_site(const StructureSettings& s, std::uint64_t seed, std::int64_t id, int type,
                 const PotentialTables& potential) {
  if (s.composition.empty()) return type;
  double drawn = uniform(random_words(seed, static_cast<std::uint64_t>(id), 0, Stream::composition)[0]);
  for (const AddedElement& added : s.composition) {
    if (drawn <= added.fraction) return potential.element_index(added.symbol);
    drawn -= added.fraction;
  }
  return type;
}

/// This rank's slice along x; the domain sends the atoms on to their owners.
Configuration crystal_slice(const Communicator& comm, const StructureSettings& s, int type,
                            std::uint64_t seed, const PotentialTables& potential) {
  const Box box = s.lattice->box(s.periodic);
  Vec3 lo = box.lo, hi = box.hi;
  const auto edge = [&](int rank) {
    return rank == comm.size() ? box.hi[0] : box.lo[0] + box.length(0) * rank / comm.size();
  };
  lo[0] = edge(comm.rank());
  hi[0] = edge(comm.rank() + 1);
  Configuration crystal = build_crystal(*s.lattice, s.periodic, s.element,
                                        potential.elements[static_cast<std::size_t>(type)].mass_amu, lo, hi);
  for (std::size_t k = 0; k < crystal.atoms.size(); ++k)
    crystal.atoms.type[k] = type_of_site(s, seed, crystal.atoms.id[k], type, potential);
  return crystal;
}

void adopt_elements(Configuration& state, const PotentialTables& potential) {
  state.elements = symbols_of(potential);
  state.masses.clear();
  for (const auto& e : potential.elements) state.masses.push_back(e.mass_amu);
}

}  // namespace

Configuration stored_state(const Communicator& comm, const std::string& file,
                           const std::array<bool, 3>& periodic, const PotentialTables& potential) {
  auto first = StateFile::open(comm, file, {periodic, symbols_of(potential), {}})->next();
  if (!first) throw InputError(fmt::format("{}: found no frame, expected at least one", file));
  Configuration state = std::move(*first);
  const std::vector<int> types = types_of(state, potential, file);
  require_masses(state, types, potential, file);
  for (int& t : state.atoms.type) t = types[static_cast<std::size_t>(t)];
  adopt_elements(state, potential);
  state.step = 0;
  state.time_ps = 0.0;
  require_atoms_apart(comm, state, file);
  return state;
}

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
  shape.kept_of_a_pair = kept_of_a_pair(potential);
  shape.triplets = triplets_of_run(potential, what.run.skin_angstrom);
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
  if (s.lattice) {
    require_memory(comm, start_bytes(static_cast<double>(s.lattice->size()) / comm.size()),
                   fmt::format("{} atoms on {} ranks", s.lattice->size(), comm.size()));
    Configuration start = crystal_slice(comm, s, require_element(what, potential), what.run.seed, potential);
    adopt_elements(start, potential);
    return start;
  }
  Configuration start = stored_state(comm, s.file, s.periodic, potential);
  for (int d = 0; d < 3; ++d)
    if (start.box.periodic[d] != s.periodic[d])
      throw InputError(fmt::format(
          "{}: found {} boundaries along {}, expected {}, as structure.boundary says", s.file,
          start.box.periodic[d] ? "periodic" : "open", "xyz"[d], s.periodic[d] ? "periodic" : "open"));
  return start;
}

Configuration in_order_of_ids(Configuration c) {
  std::vector<std::size_t> order(c.atoms.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return c.atoms.id[a] < c.atoms.id[b]; });
  Atoms atoms;
  for (const std::size_t k : order) {
    atoms.id.push_back(c.atoms.id[k]);
    atoms.type.push_back(c.atoms.type[k]);
    atoms.x.push_back(c.atoms.x[k]);
    atoms.v.push_back(c.atoms.v[k]);
  }
  c.atoms = std::move(atoms);
  return c;
}

Configuration whole_starting_state(const Case& what, const PotentialTables& potential) {
  const Communicator alone(MPI_COMM_SELF);
  return in_order_of_ids(starting_state(alone, what, potential));
}

}  // namespace wafermark::tungsten
