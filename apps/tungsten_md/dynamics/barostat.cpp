#include "tungsten_md/dynamics/barostat.hpp"

#include <algorithm>
#include <cmath>

#include "tungsten_md/kernels/barostat.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

/// A box that is far from its pressure comes to it in several changes.
constexpr double largest_strain = 0.01;

struct ScaleVelocities {
  Particles p;
  double factor[3];
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) p.v(i, d) *= factor[d];
  }
};

}  // namespace

Stretch Barostat::next(const Thermo& now, double bath_k) {
  const bool fluctuates = settings_.kind == BarostatSettings::Kind::stochastic;
  const Vec3& length = now.box_angstrom;
  const double thermal = fluctuates ? units::boltzmann_ev_per_k * bath_k /
                                          (length[0] * length[1] * length[2]) * units::ev_per_a3_in_gpa
                                    : 0.0;
  const BoxResponse<double> response{settings_.compressibility_per_gpa,
                                     waited_ps_ / settings_.relaxation_time_ps, thermal};
  const Triple g = fluctuates
                       ? gaussian_triple(seed_, 0, static_cast<std::uint64_t>(now.step), Stream::barostat)
                       : Triple{};
  const double noise[3] = {g.x, g.y, g.z};
  Vec3 excess;
  for (std::size_t d = 0; d < 3; ++d) excess[d] = (*now.pressure_axes_gpa)[d] - settings_.pressure_gpa[d];
  const double mean = (excess[0] + excess[1] + excess[2]) / 3.0;
  Stretch s;
  for (std::size_t d = 0; d < 3; ++d) {
    const double strain = settings_.coupling == BoxCoupling::axes ? response.of_axis(excess[d], noise[d])
                                                                  : response.of_volume(mean, g.x);
    s.box[d] = std::exp(std::clamp(strain, -largest_strain, largest_strain));
    if (fluctuates) s.velocities[d] = 1.0 / s.box[d];
  }
  waited_ps_ = 0.0;
  return s;
}

void scale_velocities(Particles& p, const Vec3& factor) {
  Kokkos::parallel_for("scale_velocities", over(p.n_local),
                       ScaleVelocities{p, {factor[0], factor[1], factor[2]}});
}

}  // namespace wafermark::tungsten
