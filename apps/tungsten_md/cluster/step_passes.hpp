// What a step does to one atom beside its force: the half kicks and the drift of velocity Verlet, and where
// the atom's site and images are afterwards. Loops over atoms (integrate.cpp), the graph of a step
// (step_graph.hpp) and the kernel of many steps (many_steps.hpp) run these.
#pragma once

#include "tungsten_md/cluster/ghost_records.hpp"
#include "tungsten_md/kernels/velocity_verlet.hpp"

namespace wafermark::tungsten {

/// v += f/m dt/2, x += v dt, and the site there.
struct KickAndDrift {
  Particles p;
  SitePlacer sites;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    for (int d = 0; d < 3; ++d) move(i, d, inverse_mass);
    sites.place(i, p.x(i, 0), p.x(i, 1), p.x(i, 2));
  }
  KOKKOS_FORCEINLINE_FUNCTION void move(int i, int d, double inverse_mass) const {
    p.v(i, d) = kick(p.v(i, d), p.f(i, d), inverse_mass, 0.5 * dt);
    p.x(i, d) = drift(p.x(i, d), p.v(i, d), dt);
  }
};

/// The same, measured.
struct MeasuredKickAndDrift : KickAndDrift {
  Vector3View x_at_build;
  /// Squares: of the displacement since the list was built, of the speed, and of what this half step adds.
  KOKKOS_FUNCTION void operator()(int i, double& displacement, double& speed, double& kicked) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    double moved2 = 0.0, v2 = 0.0, kick2 = 0.0;
    for (int d = 0; d < 3; ++d) {
      const double before = p.v(i, d);
      move(i, d, inverse_mass);
      const double moved = p.x(i, d) - x_at_build(i, d), by = p.v(i, d) - before;
      moved2 += moved * moved;
      v2 += p.v(i, d) * p.v(i, d);
      kick2 += by * by;
    }
    sites.place(i, p.x(i, 0), p.x(i, 1), p.x(i, 2));
    // NaN must not pass as small.
    if (!(moved2 < 1e300)) moved2 = Kokkos::Experimental::infinity_v<double>;
    if (moved2 > displacement) displacement = moved2;
    if (v2 > speed) speed = v2;
    if (kick2 > kicked) kicked = kick2;
  }
};

/// v += f/m dt/2.
struct Kick {
  Particles p;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    for (int d = 0; d < 3; ++d) p.v(i, d) = kick(p.v(i, d), p.f(i, d), inverse_mass, 0.5 * dt);
  }
};

/// All of a step but the forces, of a rank that is alone. The force fields add a `Forces` with, by atoms:
/// density(i, lanes) and image_slope(g), where has_density; then force(i, lanes) (row_lanes.hpp).
struct StepOfRank {
  MeasuredKickAndDrift move;
  FillGhosts<PositionRecord> images;
  Kick second_kick;

  const Particles& particles() const { return move.p; }
};

}  // namespace wafermark::tungsten
