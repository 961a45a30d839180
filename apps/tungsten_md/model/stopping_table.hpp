// A table of electronic stopping powers, as users bring it.
#pragma once

#include <string>
#include <vector>

namespace wafermark::tungsten {

/// Columns of a stopping table: energies ascend. Between its lines the power is interpolated, below the first
/// it is zero (as in LAMMPS fix electron/stopping); beyond the last there is none.
struct StoppingTable {
  std::vector<double> energy_ev;
  std::vector<std::vector<double>> power_ev_per_angstrom;  ///< [element that moves][line]
  double end_ev() const { return energy_ev.back(); }
};

/// Reads the format of LAMMPS fix electron/stopping: comments (#), then E (eV) and, for each element that
/// moves, S (eV/Angstrom) a line. Energies ascend, nothing is negative. Throws InputError "FILE:LINE: ...".
StoppingTable read_stopping_table(const std::string& path);

}  // namespace wafermark::tungsten
