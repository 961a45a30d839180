// How far and how fast FIRE goes, whatever machine computes the forces: FIRE (Bitzek et al., Phys. Rev. Lett.
// 97 (2006) 170201) with the corrections of FIRE 2.0 (Guenole et al., Comput. Mater. Sci. 175 (2020) 109584).
#pragma once

#include <cstdint>

namespace wafermark::tungsten {

struct FireResult {
  std::int64_t steps = 0;
  double max_force = 0.0;  ///< largest force component, eV/Angstrom
  double energy_ev = 0.0;  ///< of all ranks
  bool converged = false;
};

class FireSchedule {
 public:
  /// Takes the power f.v of all atoms before a step and chooses time step and mixing. False: they move
  /// uphill; the atoms go back half a step() along their velocities, and those become zero.
  bool accept(double power);
  double step() const { return dt_; }  ///< ps
  double mixing() const { return mixing_; }
  /// The step with which the fastest component moves no further than is safe, from its speed, Angstrom/ps.
  double safe_step(double fastest) const;

 private:
  double dt_ = first_step, mixing_ = first_mixing;
  int downhill_ = 0;
  std::int64_t steps_ = 0;

  // Guenole et al. 2020, table 1; the time step suits metals, the displacement limit keeps neighbour lists'
  // logic.
  static constexpr double first_step = 0.002, first_mixing = 0.25;
};

}  // namespace wafermark::tungsten
