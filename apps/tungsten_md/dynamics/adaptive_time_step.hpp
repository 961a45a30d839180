// The time step that the fastest and the hardest pushed atom allow.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

class AdaptiveTimeStep {
 public:
  /// `first`: the step to begin with, ps; it stays when the step is not adaptive.
  AdaptiveTimeStep(const AdaptiveStepSettings& settings, double first) : settings_(settings), dt_(first) {}

  /// Next step, ps, the same on all ranks: no atom moves further than max_displacement by its
  /// velocity and force, nor gains more than max_energy_change along its path; grows by `growth` at most.
  /// Collective.
  double next(const Communicator& comm, const Particles& p);
  /// The same from the longest step that the atoms of all ranks allow, wherever they are kept.
  double accept(double longest);
  double current() const { return dt_; }
  void resume(double dt) { dt_ = dt; }

 private:
  AdaptiveStepSettings settings_;
  double dt_;
};

}  // namespace wafermark::tungsten
