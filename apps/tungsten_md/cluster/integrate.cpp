#include "tungsten_md/cluster/integrate.hpp"

#include "tungsten_md/kernels/velocity_verlet.hpp"

namespace wafermark::tungsten {
namespace {

struct KickAndDrift {
  Particles p;
  Vector3View x_at_build;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const { move(i); }
  KOKKOS_FUNCTION void operator()(int i, double& largest) const {
    double d2 = move(i);
    if (!(d2 < 1e300)) d2 = Kokkos::Experimental::infinity_v<double>;  // NaN must not pass as small
    if (d2 > largest) largest = d2;
  }

  /// Returns the squared displacement since the list was built.
  KOKKOS_FORCEINLINE_FUNCTION double move(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    double d2 = 0.0;
    for (int d = 0; d < 3; ++d) {
      p.v(i, d) = kick(p.v(i, d), p.f(i, d), inverse_mass, 0.5 * dt);
      p.x(i, d) = drift(p.x(i, d), p.v(i, d), dt);
      const double moved = p.x(i, d) - x_at_build(i, d);
      d2 += moved * moved;
    }
    return d2;
  }
};

struct Kick {
  Particles p;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    for (int d = 0; d < 3; ++d) p.v(i, d) = kick(p.v(i, d), p.f(i, d), inverse_mass, 0.5 * dt);
  }
};

}  // namespace

void kick_and_drift(Particles& p, const VerletList& list, double dt) {
  Kokkos::parallel_for("kick_and_drift", over(p.n_local), KickAndDrift{p, list.x_at_build, dt});
}

double measured_kick_and_drift(Particles& p, const VerletList& list, double dt) {
  double largest = 0.0;
  Kokkos::parallel_reduce("kick_and_drift", over(p.n_local), KickAndDrift{p, list.x_at_build, dt},
                          Kokkos::Max<double>(largest));
  return largest;
}

void kick(Particles& p, double dt) { Kokkos::parallel_for("kick", over(p.n_local), Kick{p, dt}); }

}  // namespace wafermark::tungsten
