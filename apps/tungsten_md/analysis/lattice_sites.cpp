#include "tungsten_md/analysis/lattice_sites.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "common/errors.hpp"

namespace wafermark::tungsten {

namespace {

/// Primitive vectors of the lattice (units of a) and their reciprocals (units of 2 pi / a): a_i . b_j =
/// delta_ij.
struct Primitive {
  std::array<Vec3, 3> direct, reciprocal;
};

Primitive primitive_vectors(LatticeKind kind) {
  switch (kind) {
    case LatticeKind::bcc:
      return {{{{-0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0.5, 0.5, -0.5}}}, {{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}}}};
    case LatticeKind::fcc:
      return {{{{0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}}}, {{{-1, 1, 1}, {1, -1, 1}, {1, 1, -1}}}};
    case LatticeKind::sc:
      break;
  }
  return {{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}};
}

// Fixed point for sums over atoms: exact, hence independent of their order. 2^30 holds 8e9 cosines.
constexpr double phase_scale = 1 << 30;
// 2^-24 Angstrom = 6e-8; 1e7 atoms displaced by 5e4 Angstrom fit.
constexpr double length_scale = 1 << 24;

}  // namespace

LatticeSites::LatticeSites(const Lattice& lattice, const Box& box) : lattice_(lattice), box_(box) {
  for (int d = 0; d < 3; ++d) {
    const double expected = lattice.cells[d] * lattice.a;
    if (box.periodic[d] && !(std::abs(box.length(d) - expected) <= 1e-3 * lattice.a))
      throw InputError(
          fmt::format("lattice: found a box of {} Angstrom along {}, expected {} cells of {} = {}",
                      box.length(d), "xyz"[d], lattice.cells[d], lattice.a, expected));
  }
}

LatticeSites::Point LatticeSites::nearest_point(const Vec3& x) const {
  Vec3 u;
  for (int d = 0; d < 3; ++d) u[d] = (x[d] - lattice_.origin[d]) / lattice_.a;
  Point best{};
  double least = 1e300;
  for (int b = 0; b < lattice_.sites_per_cell(); ++b) {
    const Vec3 offset = lattice_.basis(b);
    Vec3 cell;
    double squared = 0.0;
    for (int d = 0; d < 3; ++d) {
      cell[d] = std::nearbyint(u[d] - offset[d]);
      const double distance = u[d] - offset[d] - cell[d];
      squared += distance * distance;
    }
    if (squared >= least) continue;
    least = squared;
    for (int d = 0; d < 3; ++d) best.cell[d] = static_cast<std::int64_t>(cell[d]);
    best.basis = b;
  }
  return best;
}

std::int64_t LatticeSites::nearest_site(const Vec3& x) const {
  // Atoms that left an open box may be anywhere, and beyond the range of integers.
  for (double c : x)
    if (!(std::abs(c) < 1e9)) return -1;
  Point p = nearest_point(x);
  for (int d = 0; d < 3; ++d) {
    const std::int64_t n = lattice_.cells[d];
    if (box_.periodic[d])
      p.cell[d] = ((p.cell[d] % n) + n) % n;
    else if (p.cell[d] < 0 || p.cell[d] >= n)
      return -1;
  }
  return ((p.cell[0] * lattice_.cells[1] + p.cell[1]) * lattice_.cells[2] + p.cell[2]) *
             lattice_.sites_per_cell() +
         p.basis;
}

// The phase of the structure factor at three primitive reciprocal vectors gives the crystal's displacement up
// to a lattice vector, however large it is and however hot the atoms are. Which lattice vector it is, only
// the atoms' ids can tell: the mean displacement from where each one started. Both are candidates, for ids
// may mean nothing.
std::vector<Vec3> LatticeSites::drift_candidates(const Communicator& comm, const Atoms& atoms) const {
  const Primitive primitive = primitive_vectors(lattice_.kind);
  std::vector<std::int64_t> sums(10,
                                 0);  // cos, sin of three phases; displacement from home; atoms with a home
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    Vec3 u;
    for (int d = 0; d < 3; ++d) u[d] = (atoms.x[i][d] - lattice_.origin[d]) / lattice_.a;
    for (int k = 0; k < 3; ++k) {
      const Vec3& g = primitive.reciprocal[k];
      const double phase = 2.0 * std::numbers::pi * (g[0] * u[0] + g[1] * u[1] + g[2] * u[2]);
      sums[2 * k] += std::llround(phase_scale * std::cos(phase));
      sums[2 * k + 1] += std::llround(phase_scale * std::sin(phase));
    }
    const std::int64_t home = site_of(atoms.id[i]);
    if (home < 0 || nearest_site(atoms.x[i]) < 0) continue;
    const Vec3 start = position(home);
    const Vec3 moved =
        box_.minimum_image({atoms.x[i][0] - start[0], atoms.x[i][1] - start[1], atoms.x[i][2] - start[2]});
    for (int d = 0; d < 3; ++d) sums[6 + d] += std::llround(length_scale * moved[d]);
    ++sums[9];
  }
  sums = comm.sum(sums);

  const auto reduced = [&](const Vec3& shift) {  // less the nearest lattice vector
    const Point p = nearest_point(
        {shift[0] + lattice_.origin[0], shift[1] + lattice_.origin[1], shift[2] + lattice_.origin[2]});
    const Vec3 offset = lattice_.basis(p.basis);
    Vec3 rest;
    for (int d = 0; d < 3; ++d)
      rest[d] = shift[d] - (static_cast<double>(p.cell[d]) + offset[d]) * lattice_.a;
    return rest;
  };

  Vec3 shift{};
  for (int k = 0; k < 3; ++k) {
    if (sums[2 * k] == 0 && sums[2 * k + 1] == 0) continue;
    const double turns = std::atan2(static_cast<double>(sums[2 * k + 1]), static_cast<double>(sums[2 * k])) /
                         (2.0 * std::numbers::pi);
    for (int d = 0; d < 3; ++d) shift[d] += turns * primitive.direct[k][d] * lattice_.a;
  }
  shift = reduced(shift);
  std::vector<Vec3> candidates{shift};

  if (sums[9] > 0) {
    Vec3 beyond;  // mean displacement from home less the phase's shift: close to a lattice vector
    for (int d = 0; d < 3; ++d)
      beyond[d] = static_cast<double>(sums[6 + d]) / (length_scale * static_cast<double>(sums[9])) - shift[d];
    const Vec3 rest = reduced(beyond);
    Vec3 far = shift;
    for (int d = 0; d < 3; ++d) far[d] += beyond[d] - rest[d];
    if (std::abs(far[0] - shift[0]) + std::abs(far[1] - shift[1]) + std::abs(far[2] - shift[2]) >
        0.1 * lattice_.a)
      candidates.push_back(far);
  }
  return candidates;
}

}  // namespace wafermark::tungsten
