#include "tungsten_md/model/lennard_jones.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/kernels/lennard_jones.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {
namespace {

void require_positive(const char* what, double found, const char* unit) {
  if (!(found > 0.0) || !std::isfinite(found))
    throw InputError(fmt::format("potential {}: found {} = {} {}, expected a positive number",
                                 lennard_jones_name, what, found, unit));
}

}  // namespace

double usual_cutoff(double sigma_angstrom) { return 2.5 * sigma_angstrom; }

double LennardJones::shift_ev() const {
  return shifted ? lennard_jones(cutoff_angstrom * cutoff_angstrom, sigma_angstrom * sigma_angstrom,
                                 4.0 * epsilon_ev)
                       .phi
                 : 0.0;
}

PotentialTables make_lennard_jones(const LennardJones& c, const std::vector<std::string>& elements) {
  if (elements.size() != 1)
    throw InputError(fmt::format("potential {}: found {} elements, expected one, that all atoms are of",
                                 lennard_jones_name, elements.size()));
  const std::string& symbol = elements.front();
  const int z = atomic_number(symbol);
  if (z == 0)
    throw InputError(
        fmt::format("potential {}: found element '{}', expected a chemical symbol, which tells the mass",
                    lennard_jones_name, symbol));
  require_positive("epsilon", c.epsilon_ev, "eV");
  require_positive("sigma", c.sigma_angstrom, "Angstrom");
  require_positive("cut-off", c.cutoff_angstrom, "Angstrom");
  PotentialTables t;
  t.lennard_jones = c;
  t.source = lennard_jones_name;
  t.format = "analytic";
  t.comments = {fmt::format("Lennard-Jones, epsilon {} eV, sigma {} A, cut at {} A{}", c.epsilon_ev,
                            c.sigma_angstrom, c.cutoff_angstrom, c.shifted ? ", shifted to zero there" : "")};
  // The fcc crystal's, all neighbours counted (Jones and Ingham 1925); a cut-off changes it by a percent.
  constexpr double fcc_constant_over_sigma = 1.5418;
  t.elements.push_back(
      {symbol, z, standard_weight(symbol), fcc_constant_over_sigma * c.sigma_angstrom, "fcc"});
  t.cutoff_angstrom = c.cutoff_angstrom;
  t.nr = 10001;
  t.dr = c.cutoff_angstrom / (t.nr - 1);
  t.nrho = 5;
  t.drho = 1.0;
  const std::vector<double> none(static_cast<std::size_t>(t.nr), 0.0);
  t.embedding = {std::vector<double>(static_cast<std::size_t>(t.nrho), 0.0)};
  t.density = {{none}};
  t.r_phi = {{none}};
  const double sigma_squared = c.sigma_angstrom * c.sigma_angstrom, shift = c.shift_ev();
  for (std::size_t k = 0; k < none.size(); ++k) {
    const double r = std::max(static_cast<double>(k) * t.dr, 0.25 * c.sigma_angstrom);
    t.r_phi[0][0][k] = r * (lennard_jones(r * r, sigma_squared, 4.0 * c.epsilon_ev).phi - shift);
  }
  return t;
}

}  // namespace wafermark::tungsten
