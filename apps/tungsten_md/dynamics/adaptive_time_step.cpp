#include "tungsten_md/dynamics/adaptive_time_step.hpp"

#include <algorithm>
#include <limits>

#include "tungsten_md/kernels/time_step.hpp"

namespace wafermark::tungsten {
namespace {

struct LongestStep {
  Particles p;
  StepLimits<double> limits;
  KOKKOS_FUNCTION void operator()(int i, double& least) const {
    least = longest_time_step(p.v(i, 0), p.v(i, 1), p.v(i, 2), p.f(i, 0), p.f(i, 1), p.f(i, 2),
                              1.0 / p.mass_of_type(p.type(i)), limits, least);
  }
};

}  // namespace

double AdaptiveTimeStep::next(const Communicator& comm, const Particles& p) {
  if (!settings_.on()) return dt_;
  double least = std::numeric_limits<double>::infinity();
  Kokkos::parallel_reduce(
      "longest_step", over(p.n_local),
      LongestStep{p, {settings_.max_displacement_angstrom, settings_.max_energy_change_ev}},
      Kokkos::Min<double>(least));
  return accept(comm.min(least));
}

double AdaptiveTimeStep::accept(double longest) {
  if (!settings_.on()) return dt_;
  dt_ = std::clamp(std::min(longest, dt_ * settings_.growth), settings_.min_ps, settings_.max_ps);
  return dt_;
}

}  // namespace wafermark::tungsten
