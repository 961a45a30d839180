#include "tungsten_md/cluster/site_placer.hpp"

namespace wafermark::tungsten {
namespace {

struct PlaceSites {
  Vector3View x;
  SitePlacer sites;
  KOKKOS_FUNCTION void operator()(int i) const { sites.place(i, x(i, 0), x(i, 1), x(i, 2)); }
};

}  // namespace

void place_local_sites(const Particles& p, const SitePlacer& sites) {
  Kokkos::parallel_for("place_sites", over(p.n_local), PlaceSites{p.x, sites});
}

}  // namespace wafermark::tungsten
