#include "tungsten_md/analysis/fitted_lattice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/analysis/defects.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double most_cells = 1e6;  // along an axis: 0.3 mm

int cells_along(const Box& box, int axis, double a, const std::string& where) {
  const double cells = std::round(box.length(axis) / a);
  if (!(cells >= 1.0 && cells <= most_cells))
    throw InputError(fmt::format("{}: found a box of {} Angstrom along {}, expected 1 to {} cells of {}",
                                 where, box.length(axis), "xyz"[axis], most_cells, a));
  return static_cast<int>(cells);
}

}  // namespace

Lattice fitted_lattice(const Communicator& comm, const LatticeHints& hints, const Configuration& state,
                       const std::string& where) {
  const Box& box = state.box;
  std::array<int, 3> cells = hints.cells;
  for (int d = 0; d < 3; ++d) {
    if (cells[d] != 0) continue;
    if (hints.a == 0.0 || !box.periodic[d])
      throw InputError(where + ": expected cells, or the lattice constant where all axes are periodic");
    cells[d] = cells_along(box, d, hints.a, where);
  }
  double a = hints.a;
  for (int d = 2; d >= 0 && hints.a == 0.0; --d)
    if (box.periodic[d]) a = box.length(d) / cells[d];
  if (a == 0.0) throw InputError(where + ": expected the lattice constant where no axis is periodic");

  Lattice lattice = make_lattice(hints.kind, a, cells);
  for (int d = 0; d < 3; ++d) {
    double first = box.hi[d];
    for (const Vec3& x : state.atoms.x) first = std::min(first, x[d]);
    first = comm.min(first);
    lattice.origin[d] = box.periodic[d] ? box.lo[d] + lattice.margin() : first;
    if (hints.origin) lattice.origin[d] = (*hints.origin)[static_cast<std::size_t>(d)];
  }
  return lattice;
}

std::optional<Lattice> recognised_crystal(const Communicator& comm, LatticeKind kind, double a,
                                          const Configuration& state) {
  const Box& box = state.box;
  LatticeHints hints{kind, 0.0, {}, {}};
  double least = 1e300, most = 0.0;
  for (int d = 0; d < 3; ++d) {
    const double cells = std::round(box.length(d) / a);
    if (!box.periodic[d] || !(cells >= 1.0 && cells <= most_cells)) return std::nullopt;
    hints.cells[d] = static_cast<int>(cells);
    least = std::min(least, box.length(d) / cells);
    most = std::max(most, box.length(d) / cells);
  }
  // Hot, or of another potential; and what LatticeSites takes for the same box.
  if (least < 0.95 * a || most > 1.05 * a) return std::nullopt;
  const Lattice lattice = fitted_lattice(comm, hints, state, "structure.reference");
  for (int d = 0; d < 3; ++d)
    if (std::abs(box.length(d) - lattice.a * lattice.cells[d]) > 1e-3 * lattice.a) return std::nullopt;
  const auto atoms = comm.sum(static_cast<std::int64_t>(state.atoms.size()));
  if (std::abs(static_cast<double>(atoms - lattice.size())) > 0.1 * static_cast<double>(atoms))
    return std::nullopt;
  const Defects defects = find_defects(comm, state, LatticeSites(lattice, box));
  if (10 * static_cast<std::int64_t>(defects.vacancies.size()) >= lattice.size()) return std::nullopt;
  return lattice;
}

}  // namespace wafermark::tungsten
