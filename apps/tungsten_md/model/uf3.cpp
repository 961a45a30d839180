#include "tungsten_md/model/uf3.hpp"

#include <algorithm>

namespace wafermark::tungsten {

double Uf3Potential::pair_cutoff() const {
  double largest = 0.0;
  for (const Uf3PairTerm& term : pairs) largest = std::max(largest, term.cutoff_angstrom);
  return largest;
}

double Uf3Potential::triplet_cutoff() const {
  double largest = 0.0;
  for (const Uf3TripletTerm& term : triplets) largest = std::max(largest, term.cutoff_angstrom);
  return largest;
}

Uf3TripletTerm mirrored(const Uf3TripletTerm& term) {
  Uf3TripletTerm result{term.cutoff_angstrom, term.ik, term.ij, term.jk, {}};
  result.coefficients.reserve(term.coefficients.size());
  const std::size_t n_ij = term.ij.functions(), n_ik = term.ik.functions(), n_jk = term.jk.functions();
  for (std::size_t m = 0; m < n_ik; ++m)
    for (std::size_t l = 0; l < n_ij; ++l)
      for (std::size_t n = 0; n < n_jk; ++n)
        result.coefficients.push_back(term.coefficients[(l * n_ik + m) * n_jk + n]);
  return result;
}

}  // namespace wafermark::tungsten
