#include "tungsten_md/model/perfect_crystal.hpp"

#include <cmath>

#include "tungsten_md/model/potential_grid.hpp"

namespace wafermark::tungsten {

PerfectCrystal::PerfectCrystal(const PotentialTables& t, std::size_t element, LatticeKind kind)
    : lattice_{kind, 1.0, {1, 1, 1}, {0, 0, 0}},
      dr_(t.dr),
      drho_(t.drho),
      rho_begin_(t.embedding_begin()),
      cutoff_(t.cutoff_angstrom),
      density_(lammps_spline(t.density[element][element])),
      r_phi_(lammps_spline(t.r_phi[element][element])),
      embedding_(lammps_spline(t.embedding[element])) {}

PerfectCrystal::Atom PerfectCrystal::atom(double a) const {
  Atom result;
  double pair = 0.0;
  const int n = static_cast<int>(std::ceil(cutoff_ / a));
  for (int x = -n; x <= n; ++x)
    for (int y = -n; y <= n; ++y)
      for (int z = -n; z <= n; ++z)
        for (int b = 0; b < lattice_.sites_per_cell(); ++b) {
          const Vec3 s = lattice_.basis(b);
          const double r = a * std::hypot(x + s[0], y + s[1], z + s[2]);
          if (r == 0.0 || r >= cutoff_) continue;
          ++result.neighbours;
          result.density += table_value(density_, r / dr_);
          pair += table_value(r_phi_, r / dr_) / r;
        }
  result.energy_ev = table_value(embedding_, (result.density - rho_begin_) / drho_) + 0.5 * pair;
  return result;
}

double PerfectCrystal::relaxed_lattice_constant(double guess) const {
  // Golden section; the energy of a metal has one minimum there.
  const double golden = 0.5 * (std::sqrt(5.0) - 1.0), low = 0.9 * guess, high = 1.1 * guess;
  double from = low, to = high;
  double a = to - golden * (to - from), b = from + golden * (to - from);
  double energy_a = atom(a).energy_ev, energy_b = atom(b).energy_ev;
  while (to - from > 1e-8) {
    if (energy_a < energy_b) {
      to = b;
      b = a, energy_b = energy_a;
      a = to - golden * (to - from), energy_a = atom(a).energy_ev;
    } else {
      from = a;
      a = b, energy_a = energy_b;
      b = from + golden * (to - from), energy_b = atom(b).energy_ev;
    }
  }
  const double least = 0.5 * (from + to);
  return least - low < 1e-6 || high - least < 1e-6 ? 0.0 : least;
}

}  // namespace wafermark::tungsten
