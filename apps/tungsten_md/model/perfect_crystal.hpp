// A potential's energy of a perfect crystal, summed over neighbour shells: no simulation needed.
#pragma once

#include <memory>

#include "tungsten_md/model/crystal.hpp"
#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

template <class Real>
struct Uf3Layout;

class PerfectCrystal {
 public:
  /// The crystal of one element of the tables.
  PerfectCrystal(const PotentialTables& tables, std::size_t element, LatticeKind kind);

  struct Atom {
    int neighbours = 0;    ///< inside the cut-off
    double density = 0.0;  ///< rho at the atom, where the potential has one
    double energy_ev = 0.0;
  };
  /// One atom of the crystal with cubic lattice constant `a`, Angstrom.
  Atom atom(double a) const;

  /// The lattice constant of least energy within 10 % of `guess`, to about 1e-7 A; 0 when the least energy
  /// lies at an end of that range.
  double relaxed_lattice_constant(double guess) const;

 private:
  double embedded_energy(const std::vector<double>& distances, double& density) const;
  double uf3_energy(const std::vector<Vec3>& neighbours) const;

  Lattice lattice_;
  std::size_t element_;
  double dr_, drho_, rho_begin_, cutoff_;
  std::vector<double> density_, r_phi_, embedding_;  ///< cubic pieces
  std::shared_ptr<const Uf3Layout<double>> uf3_;     ///< in their place
};

}  // namespace wafermark::tungsten
