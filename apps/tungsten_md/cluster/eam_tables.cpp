#include "tungsten_md/cluster/eam_tables.hpp"

namespace wafermark::tungsten {

template <class Real>
EamTables<Real>::EamTables(const PotentialTables& t)
    : elements(static_cast<int>(t.elements.size())),
      nr(t.nr),
      nrho(t.nrho),
      inverse_dr(static_cast<Real>(1.0 / t.dr)),
      inverse_drho(static_cast<Real>(1.0 / t.drho)),
      cutoff_squared(static_cast<Real>(t.cutoff_angstrom * t.cutoff_angstrom)),
      begins_below_zero(t.least_density.has_value()),
      least_density(t.embedding_begin()),
      drho(t.drho) {
  const auto n = static_cast<std::size_t>(elements);
  const auto pieces = static_cast<std::size_t>(nr) + 1;
  radial = Kokkos::View<Real*, MemSpace>("radial_tables", n * n * pieces * 8);
  embedding = Kokkos::View<Real*, MemSpace>("embedding_tables", n * static_cast<std::size_t>(nrho) * 4);
  auto r = Kokkos::create_mirror_view(radial);
  auto e = Kokkos::create_mirror_view(embedding);
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      const std::vector<double> density = lammps_spline(t.density[a][b]),
                                r_phi = lammps_spline(t.r_phi[a][b]);
      const std::size_t first = (a * n + b) * pieces;
      for (std::size_t m = 0; m + 1 < pieces; ++m)
        for (std::size_t c = 0; c < 4; ++c) {
          r((first + m) * 8 + c) = static_cast<Real>(density[4 * m + c]);
          r((first + m) * 8 + 4 + c) = static_cast<Real>(r_phi[4 * m + c]);
        }
    }
    const std::vector<double> f = lammps_spline(t.embedding[a]);
    for (std::size_t k = 0; k < f.size(); ++k)
      e(a * static_cast<std::size_t>(nrho) * 4 + k) = static_cast<Real>(f[k]);
  }
  Kokkos::deep_copy(radial, r);
  Kokkos::deep_copy(embedding, e);
}

template struct EamTables<float>;
template struct EamTables<double>;

}  // namespace wafermark::tungsten
