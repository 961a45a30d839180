#include "tungsten_md/model/crystal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"

namespace wafermark::tungsten {

namespace {

// Basis offsets in half lattice constants. fcc is sites 0-3 of this list, bcc has its own second site.
constexpr std::array<std::array<int, 3>, 4> fcc_basis{{{0, 0, 0}, {1, 1, 0}, {1, 0, 1}, {0, 1, 1}}};
constexpr std::array<std::array<int, 3>, 2> bcc_basis{{{0, 0, 0}, {1, 1, 1}}};

}  // namespace

LatticeKind lattice_kind(const std::string& name, const std::string& where) {
  for (LatticeKind kind : {LatticeKind::sc, LatticeKind::bcc, LatticeKind::fcc})
    if (name == name_of(kind)) return kind;
  throw InputError(fmt::format("{}: found lattice '{}', expected sc, bcc or fcc", where, name));
}

const char* name_of(LatticeKind kind) {
  switch (kind) {
    case LatticeKind::sc:
      return "sc";
    case LatticeKind::bcc:
      return "bcc";
    case LatticeKind::fcc:
      return "fcc";
  }
  return "";
}

int Lattice::sites_per_cell() const { return kind == LatticeKind::sc ? 1 : kind == LatticeKind::bcc ? 2 : 4; }

std::int64_t Lattice::size() const { return std::int64_t{cells[0]} * cells[1] * cells[2] * sites_per_cell(); }

Vec3 Lattice::basis(int b) const {
  const auto& half = kind == LatticeKind::bcc ? bcc_basis[b] : fcc_basis[b];
  return {0.5 * half[0], 0.5 * half[1], 0.5 * half[2]};
}

Vec3 Lattice::position(std::int64_t site) const {
  const int nb = sites_per_cell();
  const Vec3 offset = basis(static_cast<int>(site % nb));
  std::int64_t cell = site / nb;
  const auto iz = static_cast<double>(cell % cells[2]);
  cell /= cells[2];
  const auto iy = static_cast<double>(cell % cells[1]);
  const auto ix = static_cast<double>(cell / cells[1]);
  return {origin[0] + (ix + offset[0]) * a, origin[1] + (iy + offset[1]) * a,
          origin[2] + (iz + offset[2]) * a};
}

double Lattice::shell(int n) const {
  // Squared distances of the first four shells in units of a^2.
  constexpr double sc[] = {1, 2, 3, 4}, bcc[] = {0.75, 1, 2, 2.75}, fcc[] = {0.5, 1, 1.5, 2};
  const double* squared = kind == LatticeKind::sc ? sc : kind == LatticeKind::bcc ? bcc : fcc;
  return a * std::sqrt(squared[n - 1]);
}

double Lattice::margin() const { return kind == LatticeKind::sc ? 0.5 * a : 0.25 * a; }

Box Lattice::box(std::array<bool, 3> periodic) const {
  Box box;
  box.periodic = periodic;
  for (int d = 0; d < 3; ++d) {
    box.lo[d] = origin[d] - margin();
    box.hi[d] = box.lo[d] + cells[d] * a;
  }
  return box;
}

Lattice make_lattice(LatticeKind kind, double a, std::array<int, 3> cells) {
  if (!(a > 0.0) || !std::isfinite(a))
    throw InputError(
        fmt::format("crystal: found lattice constant {} Angstrom, expected a positive number", a));
  for (int n : cells)
    if (n < 1) throw InputError(fmt::format("crystal: found {} cells along an axis, expected at least 1", n));
  Lattice lattice{kind, a, cells, {}};
  lattice.origin.fill(lattice.margin());
  return lattice;
}

Configuration build_crystal(const Lattice& lattice, std::array<bool, 3> periodic, const std::string& element,
                            double mass_amu, const Vec3& lo, const Vec3& hi) {
  Configuration crystal;
  crystal.box = lattice.box(periodic);
  crystal.elements = {element};
  crystal.masses = {mass_amu};

  // Cells that can reach into the part, one too many on either side; the positions themselves decide.
  std::array<int, 3> first, last;
  for (int d = 0; d < 3; ++d) {
    const auto cell_of = [&](double x) { return std::floor((x - lattice.origin[d]) / lattice.a); };
    const double n = lattice.cells[d];
    first[d] = static_cast<int>(std::clamp(cell_of(lo[d]) - 1.0, 0.0, n));
    last[d] = static_cast<int>(std::clamp(cell_of(hi[d]) + 2.0, 0.0, n));
  }
  Atoms& atoms = crystal.atoms;
  const int nb = lattice.sites_per_cell();
  for (int ix = first[0]; ix < last[0]; ++ix)
    for (int iy = first[1]; iy < last[1]; ++iy)
      for (int iz = first[2]; iz < last[2]; ++iz)
        for (int b = 0; b < nb; ++b) {
          const std::int64_t site =
              ((std::int64_t{ix} * lattice.cells[1] + iy) * lattice.cells[2] + iz) * nb + b;
          const Vec3 x = lattice.position(site);
          bool inside = true;
          for (int d = 0; d < 3; ++d) inside = inside && lo[d] <= x[d] && x[d] < hi[d];
          if (!inside) continue;
          atoms.id.push_back(site + 1);
          atoms.x.push_back(x);
        }
  atoms.type.assign(atoms.size(), 0);
  atoms.v.assign(atoms.size(), Vec3{});
  return crystal;
}

Configuration build_crystal(const Lattice& lattice, std::array<bool, 3> periodic, const std::string& element,
                            double mass_amu) {
  const Box box = lattice.box(periodic);
  return build_crystal(lattice, periodic, element, mass_amu, box.lo, box.hi);
}

}  // namespace wafermark::tungsten
