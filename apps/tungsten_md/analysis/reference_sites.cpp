#include "tungsten_md/analysis/reference_sites.hpp"

#include <cmath>

namespace wafermark::tungsten {

Fit fit(const Communicator& comm, const Atoms& atoms, const ReferenceSites& sites, const Vec3& drift) {
  constexpr double scale = 1 << 24;  // fixed point: sums that do not depend on their order
  std::vector<std::int64_t> sums(7, 0);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const Vec3 x{atoms.x[i][0] - drift[0], atoms.x[i][1] - drift[1], atoms.x[i][2] - drift[2]};
    const std::int64_t site = sites.nearest_site(x);
    if (site < 0) {
      ++sums[6];
      continue;
    }
    const Vec3 s = sites.position(site);
    const Vec3 d = sites.box().minimum_image({x[0] - s[0], x[1] - s[1], x[2] - s[2]});
    for (int k = 0; k < 3; ++k) sums[k] += std::llround(scale * d[k]);
    sums[3] += std::llround(scale * (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
    sums[4] += sites.atom_of(site) == atoms.id[i];
    ++sums[5];
  }
  sums = comm.sum(sums);
  Fit result{drift, {}, 0.0, sums[4], sums[6]};
  if (sums[5] == 0) return result;
  const double n = scale * static_cast<double>(sums[5]);
  for (int k = 0; k < 3; ++k) result.mean[k] = static_cast<double>(sums[k]) / n;
  result.mean_square = static_cast<double>(sums[3]) / n;
  return result;
}

Vec3 estimate_drift(const Communicator& comm, const Atoms& atoms, const ReferenceSites& sites) {
  constexpr double converged = 1e-4;  // Angstrom; thermal displacements are a thousand times larger
  const std::int64_t n_atoms = comm.sum(static_cast<std::int64_t>(atoms.size()));
  Fit best;
  bool first = true;
  for (Vec3 drift : sites.drift_candidates(comm, atoms)) {
    Fit now = fit(comm, atoms, sites, drift);
    for (int round = 0; round < 10 && std::hypot(now.mean[0], now.mean[1], now.mean[2]) > converged;
         ++round) {
      for (int d = 0; d < 3; ++d) drift[d] += now.mean[d];
      now = fit(comm, atoms, sites, drift);
    }
    const bool ids_tell = 2 * std::max(now.at_home, best.at_home) > n_atoms;
    if (first || (ids_tell ? now.at_home > best.at_home : now.mean_square < best.mean_square)) best = now;
    first = false;
  }
  return best.drift;
}

}  // namespace wafermark::tungsten
