// Energy loss of fast atoms to the electrons.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

/// Columns of a stopping table: energies ascend.
struct StoppingTable {
  std::vector<double> energy_ev, power_ev_per_angstrom;
};
/// Reads the format of LAMMPS fix electron/stopping for one element: comment lines (#), then E and S a line.
/// Throws InputError "FILE:LINE: ...".
StoppingTable read_stopping_table(const std::string& path);

class ElectronicStopping {
 public:
  explicit ElectronicStopping(const StoppingSettings& settings);
  /// Slows this rank's atoms above the cut-off energy for `dt`; returns the energy they lost, eV.
  double apply(Particles& p, double dt) const;

 private:
  StoppingSettings settings_;
  ScalarView energy_, power_;
};

}  // namespace wafermark::tungsten
