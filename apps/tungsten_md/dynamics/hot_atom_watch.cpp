#include "tungsten_md/dynamics/hot_atom_watch.hpp"

#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct CountHot {
  Particles p;
  PeriodicFrame frame;
  double lo[3], hi[3], energy;
  KOKKOS_FUNCTION void operator()(int i, int& hot) const {
    double v2 = 0.0;
    bool border = false;
    for (int d = 0; d < 3; ++d) {
      v2 += p.v(i, d) * p.v(i, d);
      const double x = frame.along(d, p.x(i, d));
      border = border || x < lo[d] || x >= hi[d];
    }
    if (border && 0.5 * p.mass_of_type(p.type(i)) * v2 > energy) ++hot;
  }
};

struct LargestKinetic {
  Particles p;
  KOKKOS_FUNCTION void operator()(int i, double& largest) const {
    double v2 = 0.0;
    for (int d = 0; d < 3; ++d) v2 += p.v(i, d) * p.v(i, d);
    largest = Kokkos::max(largest, 0.5 * p.mass_of_type(p.type(i)) * v2);
  }
};

}  // namespace

int count_hot_atoms_at_border(const Particles& p, const Box& box, double width, double energy_ev,
                              const PeriodicFrame& frame) {
  CountHot count{p, frame, {}, {}, energy_ev / units::amu_a2_per_ps2_in_ev};
  for (int d = 0; d < 3; ++d) {
    count.lo[d] = box.lo[d] + width;
    count.hi[d] = box.hi[d] - width;
  }
  int hot = 0;
  Kokkos::parallel_reduce("hot_atoms", over(p.n_local), count, hot);
  return hot;
}

double hottest_ev(const Particles& p) {
  double largest = 0.0;
  Kokkos::parallel_reduce("hottest_atom", over(p.n_local), LargestKinetic{p}, Kokkos::Max<double>(largest));
  return largest * units::amu_a2_per_ps2_in_ev;
}

}  // namespace wafermark::tungsten
