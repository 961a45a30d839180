// A UF3 potential: two- and three-body energies as sums of cubic B-splines (kernels/uf3.hpp has the formula).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace wafermark::tungsten {

/// Knots of cubic B-splines, Angstrom: the first four are equal, the last four are equal, between they grow.
struct Knots {
  std::vector<double> at;

  std::size_t functions() const { return at.size() - 4; }
  std::size_t intervals() const { return at.size() - 7; }
};

struct Uf3PairTerm {
  double cutoff_angstrom = 0.0;
  Knots knots;
  std::vector<double> coefficients;  ///< of V2, eV
};

struct Uf3TripletTerm {
  double cutoff_angstrom = 0.0;  ///< of the distances from the centre
  Knots ij, ik, jk;
  std::vector<double> coefficients;  ///< of V3 [ij][ik][jk], eV
};

/// For atom types 0 ... elements - 1.
struct Uf3Potential {
  std::size_t elements = 0;
  std::vector<Uf3PairTerm> pairs;        ///< [i][j]
  std::vector<Uf3TripletTerm> triplets;  ///< [centre][j][k]; empty: pairs alone

  const Uf3PairTerm& pair(std::size_t i, std::size_t j) const { return pairs[i * elements + j]; }
  /// The largest cut-off of a pair, and of a neighbour from the centre of a triplet (0: none).
  double pair_cutoff() const;
  double triplet_cutoff() const;
};

/// The one with j and k exchanged.
Uf3TripletTerm mirrored(const Uf3TripletTerm& term);

}  // namespace wafermark::tungsten
