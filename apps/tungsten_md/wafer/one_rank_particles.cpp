#include "tungsten_md/wafer/one_rank_particles.hpp"

namespace wafermark::tungsten {

Particles to_particles(const Configuration& c) {
  const auto n = static_cast<int>(c.atoms.size());
  Particles p;
  p.n_local = n;
  p.x = Vector3View("x", n);
  p.v = Vector3View("v", n);
  p.f = Vector3View("f", n);
  p.id = IdView("id", n);
  p.type = TypeView("type", n);
  p.mass_of_type = ScalarView("mass", c.masses.size());
  auto x = Kokkos::create_mirror_view(p.x);
  auto v = Kokkos::create_mirror_view(p.v);
  auto id = Kokkos::create_mirror_view(p.id);
  auto type = Kokkos::create_mirror_view(p.type);
  auto mass = Kokkos::create_mirror_view(p.mass_of_type);
  for (int i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    for (int d = 0; d < 3; ++d) {
      x(i, d) = c.atoms.x[k][static_cast<std::size_t>(d)];
      v(i, d) = c.atoms.v[k][static_cast<std::size_t>(d)];
    }
    id(i) = c.atoms.id[k];
    type(i) = c.atoms.type[k];
  }
  for (std::size_t t = 0; t < c.masses.size(); ++t) mass(t) = c.masses[t];
  Kokkos::deep_copy(p.x, x);
  Kokkos::deep_copy(p.v, v);
  Kokkos::deep_copy(p.id, id);
  Kokkos::deep_copy(p.type, type);
  Kokkos::deep_copy(p.mass_of_type, mass);
  return p;
}

std::vector<Vec3> velocities_of(const Particles& p) {
  auto v = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), p.v);
  std::vector<Vec3> all(static_cast<std::size_t>(p.n_local));
  for (int i = 0; i < p.n_local; ++i) all[static_cast<std::size_t>(i)] = {v(i, 0), v(i, 1), v(i, 2)};
  return all;
}

}  // namespace wafermark::tungsten
