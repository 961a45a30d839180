// An embedded-atom potential as tables, whatever it was made from (setfl, eam/fs, eam/he, funcfl, an
// analytic model), or another kind of potential in their place.
//   E = sum_i F_i( sum_j rho_ij(r) ) + 1/2 sum_i sum_j phi_ij(r)
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wafermark::tungsten {

struct Uf3Potential;

/// The format of a potential that is no tables but `uf3` below.
inline constexpr const char* uf3_format = "uf3";

/// Constants of a cut Lennard-Jones pair potential, phi = 4 epsilon ((sigma/r)^12 - (sigma/r)^6) - shift.
struct LennardJones {
  double epsilon_ev = 0.0, sigma_angstrom = 0.0, cutoff_angstrom = 0.0;
  bool shifted = false;  ///< phi is zero at the cut-off; forces are the same
  double shift_ev() const;
};

/// Samples on the uniform grids of the file: value k of a radial table is at r = k dr (k = 0 ... nr-1),
/// value k of an embedding table at rho = embedding_begin() + k drho.
struct PotentialTables {
  struct Element {
    std::string symbol;
    int atomic_number = 0;
    double mass_amu = 0.0;
    double lattice_constant_angstrom = 0.0;
    std::string lattice;  ///< "bcc", "fcc", ... as the file says
  };

  std::string source;                 ///< file name or model name, for messages and results
  std::string format;                 ///< "eam/alloy", "eam/fs", "eam/he", "funcfl", "uf3", "analytic"
  std::vector<std::string> comments;  ///< the file's comment lines
  std::vector<Element> elements;
  int nrho = 0, nr = 0;
  double drho = 0.0, dr = 0.0, cutoff_angstrom = 0.0;
  /// Of eam/he, where densities may be negative: the embedding tables begin here, and go on along straight
  /// lines on both sides.
  std::optional<double> least_density;
  std::vector<std::vector<double>> embedding;  ///< F [element][nrho], eV
  std::vector<std::vector<std::vector<double>>>
      density;  ///< rho [a][b][nr]: of an atom of element b at one of a
  std::vector<std::vector<std::vector<double>>>
      r_phi;  ///< r phi(r) [a][b][nr], eV Angstrom, symmetric in a, b
  /// Set where the potential is this closed form, without density, and the tables are no more than its
  /// samples: native forces are computed from it. Gone as soon as the tables are changed.
  std::optional<LennardJones> lennard_jones;
  /// Set where the potential is one of two and three bodies: there are no tables at all, only elements and
  /// the cut-off.
  std::shared_ptr<const Uf3Potential> uf3;

  /// Throws InputError for a potential without tables; `whom`: who wants them.
  void require_tables(const std::string& whom) const;

  int element_index(const std::string& symbol) const;  ///< -1 when absent
  double embedding_begin() const { return least_density.value_or(0.0); }
  double largest_density() const { return embedding_begin() + (nrho - 1) * drho; }
};

/// The cubic pieces of one table: piece m (0 ... n-1) holds (c3, c2, c1, c0), and the value at p in [0, 1]
/// between samples m and m+1 is ((c3 p + c2) p + c1) p + c0. Interpolation as LAMMPS' PairEAM::interpolate
/// (five-point derivatives, Hermite cubics), so that results agree to rounding.
/// The result has n = samples.size() pieces (n >= 5), 4 doubles each; the last piece is constant. To agree
/// with LAMMPS an evaluation takes m = min(int(s), n - 2) and p = min(s - m, 1) at grid coordinate s (LAMMPS
/// counts from 1), and beyond rho = (n - 1) drho adds F' times the rest to F; kernels/cubic_table.hpp and
/// kernels/eam.hpp do so.
std::vector<double> lammps_spline(const std::vector<double>& samples);

}  // namespace wafermark::tungsten
