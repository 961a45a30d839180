// Where the energy came from and went.
#pragma once

namespace wafermark::tungsten {

/// Sums over the run in eV. total = initial + PKA - stopping + thermostat; what is left over is the
/// integration error.
struct EnergyLedger {
  double initial_ev = 0.0;     ///< kinetic + potential at the start
  double pka_ev = 0.0;         ///< given to PKAs
  double stopping_ev = 0.0;    ///< lost to electrons
  double thermostat_ev = 0.0;  ///< taken from the heat bath

  double expected_ev() const { return initial_ev + pka_ev - stopping_ev + thermostat_ev; }
};

}  // namespace wafermark::tungsten
