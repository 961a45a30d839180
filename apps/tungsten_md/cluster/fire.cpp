#include "tungsten_md/cluster/fire.hpp"

#include <cmath>

#include "tungsten_md/kernels/fire.hpp"
#include "tungsten_md/kernels/velocity_verlet.hpp"

namespace wafermark::tungsten {
namespace {

struct Products {
  double power = 0, v2 = 0, f2 = 0;
  KOKKOS_FUNCTION Products& operator+=(const Products& o) {
    power += o.power;
    v2 += o.v2;
    f2 += o.f2;
    return *this;
  }
};

struct SumProducts {
  Particles p;
  KOKKOS_FUNCTION void operator()(int i, Products& sum) const {
    for (int d = 0; d < 3; ++d) {
      sum.power += p.f(i, d) * p.v(i, d);
      sum.v2 += p.v(i, d) * p.v(i, d);
      sum.f2 += p.f(i, d) * p.f(i, d);
    }
  }
};

struct LargestForce {
  Particles p;
  KOKKOS_FUNCTION void operator()(int i, double& largest) const {
    for (int d = 0; d < 3; ++d) {
      const double f = Kokkos::abs(p.f(i, d));
      // NaN must not pass as converged.
      largest = Kokkos::max(largest, f < 1e300 ? f : 1e300);
    }
  }
};
struct LargestSpeed {
  Particles p;
  KOKKOS_FUNCTION void operator()(int i, double& largest) const {
    for (int d = 0; d < 3; ++d) largest = Kokkos::max(largest, Kokkos::abs(p.v(i, d)));
  }
};

/// v <- (1 - mixing) v + mixing |v| f / |f| after the force acted for dt.
struct Accelerate {
  Particles p;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    for (int d = 0; d < 3; ++d) p.v(i, d) = kick(p.v(i, d), p.f(i, d), inverse_mass, dt);
  }
};
struct Mix {
  Particles p;
  double mixing, along_force;
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) p.v(i, d) = turned(p.v(i, d), p.f(i, d), mixing, along_force);
  }
};
struct Move {
  Particles p;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) p.x(i, d) = drift(p.x(i, d), p.v(i, d), dt);
  }
};

}  // namespace
}  // namespace wafermark::tungsten

template <>
struct Kokkos::reduction_identity<wafermark::tungsten::Products> {
  KOKKOS_FORCEINLINE_FUNCTION static wafermark::tungsten::Products sum() { return {}; }
};

namespace wafermark::tungsten {

FireResult relax(Domain& domain, const RelaxSettings& settings, const std::function<void()>& before_step) {
  Particles& p = domain.particles();
  const Communicator& comm = domain.comm();
  const auto moved = [&] {
    domain.update(std::sqrt(comm.max(max_displacement_squared(domain.list(), p))), 0.0);
    return comm.sum(domain.compute_forces_and_energy().energy);
  };
  Kokkos::deep_copy(p.v, 0.0);
  FireResult result;
  result.energy_ev = moved();
  FireSchedule schedule;
  for (;; ++result.steps) {
    if (before_step) before_step();
    double largest = 0.0;
    Kokkos::parallel_reduce("largest_force", over(p.n_local), LargestForce{p}, Kokkos::Max<double>(largest));
    result.max_force = comm.max(largest);
    result.converged = result.max_force <= settings.force_tolerance_ev_per_angstrom;
    if (result.converged || result.steps >= settings.max_steps) break;

    Products products;
    Kokkos::parallel_reduce("fire_products", over(p.n_local), SumProducts{p},
                            Kokkos::Sum<Products>(products));
    if (!schedule.accept(comm.sum(products.power))) {
      Kokkos::parallel_for("fire_back", over(p.n_local), Move{p, -0.5 * schedule.step()});
      Kokkos::deep_copy(p.v, 0.0);
    }
    Kokkos::parallel_for("fire_accelerate", over(p.n_local), Accelerate{p, schedule.step()});
    products = {};
    Kokkos::parallel_reduce("fire_products", over(p.n_local), SumProducts{p},
                            Kokkos::Sum<Products>(products));
    const double v2 = comm.sum(products.v2), f2 = comm.sum(products.f2);
    Kokkos::parallel_for("fire_mix", over(p.n_local),
                         Mix{p, schedule.mixing(), f2 > 0.0 ? schedule.mixing() * std::sqrt(v2 / f2) : 0.0});
    double fastest = 0.0;
    Kokkos::parallel_reduce("fire_fastest", over(p.n_local), LargestSpeed{p}, Kokkos::Max<double>(fastest));
    Kokkos::parallel_for("fire_move", over(p.n_local), Move{p, schedule.safe_step(comm.max(fastest))});
    result.energy_ev = moved();
  }
  Kokkos::deep_copy(p.v, 0.0);
  return result;
}

}  // namespace wafermark::tungsten
