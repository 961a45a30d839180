#include "tungsten_md/cluster/adaptive_time_step.hpp"

#include <algorithm>
#include <limits>

#include "tungsten_md/kernels/velocity_verlet.hpp"

namespace wafermark::tungsten {
namespace {

struct LongestStep {
  Particles p;
  double max_displacement, max_energy_change;
  KOKKOS_FUNCTION void operator()(int i, double& least) const {
    double v2 = 0.0, f2 = 0.0, power = 0.0;
    for (int d = 0; d < 3; ++d) {
      v2 += p.v(i, d) * p.v(i, d);
      f2 += p.f(i, d) * p.f(i, d);
      power += p.f(i, d) * p.v(i, d);
    }
    if (max_displacement > 0.0) {
      const double acceleration =
          Kokkos::sqrt(f2) / p.mass_of_type(p.type(i)) * acceleration_of_ev_per_angstrom_amu;
      // v dt + a dt^2 / 2 = d, in the form that does not cancel.
      const double v = Kokkos::sqrt(v2);
      const double root = Kokkos::sqrt(v2 + 2.0 * acceleration * max_displacement);
      least = Kokkos::min(least, 2.0 * max_displacement / (v + root + 1e-300));
    }
    if (max_energy_change > 0.0)
      least = Kokkos::min(least, max_energy_change / (Kokkos::abs(power) + 1e-300));
  }
};

}  // namespace

double AdaptiveTimeStep::next(const Communicator& comm, const Particles& p) {
  if (!settings_.on()) return dt_;
  double least = std::numeric_limits<double>::infinity();
  Kokkos::parallel_reduce("longest_step", Kokkos::RangePolicy<ExecSpace>(0, p.n_local),
                          LongestStep{p, settings_.max_displacement_angstrom, settings_.max_energy_change_ev},
                          Kokkos::Min<double>(least));
  dt_ = std::clamp(std::min(comm.min(least), dt_ * settings_.growth), settings_.min_ps, settings_.max_ps);
  return dt_;
}

}  // namespace wafermark::tungsten
