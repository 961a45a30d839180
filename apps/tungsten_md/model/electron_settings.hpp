// Electrons beside the atoms: the deck's [electrons].
#pragma once

#include <array>
#include <string>
#include <vector>

#include "common/deck.hpp"

namespace wafermark::tungsten {

/// Columns of a table of electronic properties, in our units; temperatures ascend.
struct ElectronTable {
  std::vector<double> temperature_k;
  std::vector<double> heat_capacity;  ///< eV/(Angstrom^3 K)
  std::vector<double> conductivity;   ///< eV/(ps Angstrom K)
};

/// Reads lines of T (K), C (J/(m^3 K)) and kappa (W/(m K)); comments begin with #. Throws InputError
/// "FILE:LINE: ...".
ElectronTable read_electron_table(const std::string& path);

struct ElectronSettings {
  /// friction: a heat bath at one temperature; two_temperature: the electrons of each cell have their own.
  enum class Model { none, friction, two_temperature } model = Model::none;
  double coupling_time_ps = 10.0;                    ///< velocities forget themselves in this time
  double min_energy_ev = 0.0, max_energy_ev = 10.0;  ///< kinetic energies of the atoms that it acts on
  double temperature_k = 300.0;                      ///< of the bath, or of all cells at the start
  std::array<int, 3> cells{1, 1, 1};
  std::string file;
  ElectronTable properties;

  bool on() const { return model != Model::none; }
  bool has_cells() const { return model == Model::two_temperature; }
  /// `initial_k`: the atoms', the default of the electrons'.
  static ElectronSettings read(Deck& deck, double initial_k);
};

}  // namespace wafermark::tungsten
