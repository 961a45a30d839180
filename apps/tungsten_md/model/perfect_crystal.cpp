#include "tungsten_md/model/perfect_crystal.hpp"

#include <cmath>

#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/model/uf3_layout.hpp"

namespace wafermark::tungsten {
namespace {

double length(const Vec3& d) { return std::hypot(d[0], d[1], d[2]); }

}  // namespace

PerfectCrystal::PerfectCrystal(const PotentialTables& t, std::size_t element, LatticeKind kind)
    : lattice_{kind, 1.0, {1, 1, 1}, {0, 0, 0}},
      element_(element),
      dr_(t.dr),
      drho_(t.drho),
      rho_begin_(t.embedding_begin()),
      cutoff_(t.cutoff_angstrom) {
  if (t.uf3) {
    uf3_ = std::make_shared<const Uf3Layout<double>>(*t.uf3);
    return;
  }
  density_ = lammps_spline(t.density[element][element]);
  r_phi_ = lammps_spline(t.r_phi[element][element]);
  embedding_ = lammps_spline(t.embedding[element]);
}

PerfectCrystal::Atom PerfectCrystal::atom(double a) const {
  std::vector<Vec3> neighbours;
  std::vector<double> distances;
  const int n = static_cast<int>(std::ceil(cutoff_ / a));
  for (int x = -n; x <= n; ++x)
    for (int y = -n; y <= n; ++y)
      for (int z = -n; z <= n; ++z)
        for (int b = 0; b < lattice_.sites_per_cell(); ++b) {
          const Vec3 s = lattice_.basis(b);
          const double r = a * std::hypot(x + s[0], y + s[1], z + s[2]);
          if (r == 0.0 || r >= cutoff_) continue;
          neighbours.push_back({a * (x + s[0]), a * (y + s[1]), a * (z + s[2])});
          distances.push_back(r);
        }
  Atom result;
  result.neighbours = static_cast<int>(neighbours.size());
  result.energy_ev = uf3_ ? uf3_energy(neighbours) : embedded_energy(distances, result.density);
  return result;
}

double PerfectCrystal::embedded_energy(const std::vector<double>& distances, double& density) const {
  double pair = 0.0;
  density = 0.0;
  for (const double r : distances) {
    density += table_value(density_, r / dr_);
    pair += table_value(r_phi_, r / dr_) / r;
  }
  return table_value(embedding_, (density - rho_begin_) / drho_) + 0.5 * pair;
}

double PerfectCrystal::uf3_energy(const std::vector<Vec3>& neighbours) const {
  const Uf3Tables<double> t = uf3_->tables();
  const auto n = static_cast<std::size_t>(uf3_->elements);
  const Uf3PairTable<double>& pair = uf3_->pairs[element_ * n + element_];
  double energy = 0.0;
  for (const Vec3& d : neighbours)
    if (const double r = length(d); r * r < pair.cutoff_squared) energy += 0.5 * uf3_pair(t, pair, r).phi;
  if (uf3_->triplets.empty()) return energy;
  const Uf3TripletTable<double>& triplet = uf3_->triplets[(element_ * n + element_) * n + element_];
  for (std::size_t j = 0; j < neighbours.size(); ++j)
    for (std::size_t k = j + 1; k < neighbours.size(); ++k) {
      const Vec3 &to_j = neighbours[j], &to_k = neighbours[k];
      const double r_jk = length({to_k[0] - to_j[0], to_k[1] - to_j[1], to_k[2] - to_j[2]});
      if (!triplet.holds(length(to_j), length(to_k), r_jk)) continue;
      energy += uf3_triplet(t, triplet, uf3_side(t, triplet.ij, length(to_j)),
                            uf3_side(t, triplet.ik, length(to_k)), uf3_side(t, triplet.jk, r_jk))
                    .energy;
    }
  return energy;
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
