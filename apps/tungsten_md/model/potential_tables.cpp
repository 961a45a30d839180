#include "tungsten_md/model/potential_tables.hpp"

#include "common/errors.hpp"

namespace wafermark::tungsten {

int PotentialTables::element_index(const std::string& symbol) const {
  for (std::size_t k = 0; k < elements.size(); ++k)
    if (elements[k].symbol == symbol) return static_cast<int>(k);
  return -1;
}

void PotentialTables::require_tables(const std::string& whom) const {
  if (uf3)
    throw InputError(source +
                     ": found a potential of two and three bodies (uf3), expected tables of an "
                     "embedded-atom potential " +
                     whom);
}

std::vector<double> lammps_spline(const std::vector<double>& f) {
  const std::size_t n = f.size();
  std::vector<double> slope(n);
  slope[0] = f[1] - f[0];
  slope[1] = 0.5 * (f[2] - f[0]);
  slope[n - 2] = 0.5 * (f[n - 1] - f[n - 3]);
  slope[n - 1] = f[n - 1] - f[n - 2];
  for (std::size_t m = 2; m + 2 < n; ++m)
    slope[m] = ((f[m - 2] - f[m + 2]) + 8.0 * (f[m + 1] - f[m - 1])) / 12.0;
  std::vector<double> quads(4 * n, 0.0);
  for (std::size_t m = 0; m + 1 < n; ++m) {
    const double rise = f[m + 1] - f[m];
    quads[4 * m] = slope[m] + slope[m + 1] - 2.0 * rise;
    quads[4 * m + 1] = 3.0 * rise - 2.0 * slope[m] - slope[m + 1];
    quads[4 * m + 2] = slope[m];
    quads[4 * m + 3] = f[m];
  }
  quads[4 * n - 1] = f[n - 1];
  return quads;
}

}  // namespace wafermark::tungsten
