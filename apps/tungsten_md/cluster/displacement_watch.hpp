// When the atoms' displacements have to be measured: a measurement is a reduction over all ranks, which the
// host waits for, and most steps do without.
#pragma once

#include <cmath>
#include <cstdint>

namespace wafermark::tungsten {

/// Of the atom that has most of each, over all ranks: moved since the list was built, Angstrom, and now,
/// Angstrom/ps and Angstrom/ps^2.
struct Motion {
  double displacement = 0.0, speed = 0.0, acceleration = 0.0;

  /// What the largest displacement was a step of `dt` ago, at least.
  double displacement_before(double dt) const { return displacement - speed * dt; }
};

/// Where nothing but the forces acts and the time step is fixed, no atom gets beyond
///   displacement + tau (2 speed + acceleration tau)
/// within a few steps, tau: forces act for twice the largest acceleration, and from the start a collision
/// lends an atom the speed of the fastest one on top of its own. As long as that stays within the limit
/// nobody measures. It is no law: Domain counts the lists that turn out to have come late, and none is
/// expected.
class DisplacementWatch {
 public:
  bool is_due(std::int64_t step) const { return step >= due_; }
  /// Behind a measurement in `step`. `limit`: displacement that the list bears.
  void measured(std::int64_t step, const Motion& m, double dt, double limit) {
    int safe = 0;
    const auto reach = [&](int steps) {
      const double tau = steps * dt;
      return m.displacement + tau * (2.0 * m.speed + m.acceleration * tau);
    };
    while (safe < most_skipped && reach(safe + 1) <= limit) ++safe;
    due_ = step + 1 + safe;
  }
  /// Something else acted on the atoms: measure in the next step.
  void disturb() { due_ = 0; }

  /// For checkpoints: the step of the next measurement.
  std::int64_t due() const { return due_; }
  void resume(std::int64_t due) { due_ = due; }

 private:
  static constexpr int most_skipped = 15;
  std::int64_t due_ = 0;
};

}  // namespace wafermark::tungsten
