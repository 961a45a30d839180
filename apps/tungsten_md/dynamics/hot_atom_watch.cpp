#include "tungsten_md/dynamics/hot_atom_watch.hpp"

#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct CountHot {
  Particles p;
  double lo[3], hi[3], energy;
  KOKKOS_FUNCTION void operator()(int i, int& hot) const {
    double v2 = 0.0;
    bool border = false;
    for (int d = 0; d < 3; ++d) {
      v2 += p.v(i, d) * p.v(i, d);
      border = border || p.x(i, d) < lo[d] || p.x(i, d) >= hi[d];
    }
    if (border && 0.5 * p.mass_of_type(p.type(i)) * v2 > energy) ++hot;
  }
};

}  // namespace

int count_hot_atoms_at_border(const Particles& p, const Box& box, double width, double energy_ev) {
  CountHot count{p, {}, {}, energy_ev / units::amu_a2_per_ps2_in_ev};
  for (int d = 0; d < 3; ++d) {
    count.lo[d] = box.lo[d] + width;
    count.hi[d] = box.hi[d] - width;
  }
  int hot = 0;
  Kokkos::parallel_reduce("hot_atoms", over(p.n_local), count, hot);
  return hot;
}

}  // namespace wafermark::tungsten
