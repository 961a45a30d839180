#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

Particles to_device(const Atoms& atoms, const std::vector<double>& masses) {
  Particles p;
  const int n = static_cast<int>(atoms.size());
  p.n_local = n;
  p.x = Vector3View("x", n);
  p.v = Vector3View("v", n);
  p.f = Vector3View("f", n);
  p.id = IdView("id", n);
  p.type = TypeView("type", n);
  p.mass_of_type = ScalarView("mass", masses.size());
  auto x = Kokkos::create_mirror_view(p.x), v = Kokkos::create_mirror_view(p.v);
  auto id = Kokkos::create_mirror_view(p.id);
  auto type = Kokkos::create_mirror_view(p.type);
  auto mass = Kokkos::create_mirror_view(p.mass_of_type);
  for (int i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    for (int d = 0; d < 3; ++d) {
      x(i, d) = atoms.x[k][d];
      v(i, d) = atoms.v[k][d];
    }
    id(i) = atoms.id[k];
    type(i) = atoms.type[k];
  }
  for (std::size_t t = 0; t < masses.size(); ++t) mass(t) = masses[t];
  Kokkos::deep_copy(p.x, x);
  Kokkos::deep_copy(p.v, v);
  Kokkos::deep_copy(p.id, id);
  Kokkos::deep_copy(p.type, type);
  Kokkos::deep_copy(p.mass_of_type, mass);
  return p;
}

Atoms to_host(const Particles& p) {
  Atoms atoms;
  const auto local = Kokkos::make_pair(0, p.n_local);
  const auto x = first_on_host(p.x, p.n_local), v = first_on_host(p.v, p.n_local);
  auto id = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), Kokkos::subview(p.id, local));
  auto type = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), Kokkos::subview(p.type, local));
  for (int i = 0; i < p.n_local; ++i) {
    atoms.id.push_back(id(i));
    atoms.type.push_back(type(i));
    atoms.x.push_back({x(i, 0), x(i, 1), x(i, 2)});
    atoms.v.push_back({v(i, 0), v(i, 1), v(i, 2)});
  }
  return atoms;
}

}  // namespace wafermark::tungsten
