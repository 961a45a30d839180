// How many Frenkel pairs to expect of a primary knock-on atom: the standard models and published fits.
// Energies in eV. One cascade scatters by some 40 % about these means.
#pragma once

#include <string>
#include <vector>

namespace wafermark::tungsten {

/// Lindhard's partition of a recoil's energy in Robinson's form, T_d = E / (1 + F_L g(E / E_L)),
/// g(e) = 3.4008 e^(1/6) + 0.40244 e^(3/4) + e  (Norgett, Robinson and Torrens, Nucl. Eng. Des. 33, 50
/// (1975)).
struct LindhardRobinson {
  double energy_scale_ev = 0.0;  ///< E_L
  double stopping_factor = 0.0;  ///< F_L

  /// For an atom of (z1, a1) in a target of (z2, a2); atomic masses in amu.
  static LindhardRobinson of(int z1, double a1, int z2, double a2);
  /// The part of the energy that goes into displacing atoms.
  double damage_energy(double recoil_energy_ev) const;
};

/// Norgett-Robinson-Torrens: 0 below E_d, 1 up to 2 E_d / 0.8, 0.8 T_d / (2 E_d) beyond.
double nrt_displacements(double damage_energy_ev, double threshold_ev);

/// Athermal recombination corrected displacements (Nordlund et al., Nat. Commun. 9, 1084 (2018)): NRT times
/// xi = (1 - c) (T_d / (2 E_d / 0.8))^b + c beyond 2 E_d / 0.8.
struct ArcDpa {
  double threshold_ev, b, c;
  double displacements(double damage_energy_ev) const;
};

/// Tungsten: NRT threshold of ASTM E521; arc-dpa parameters of Nordlund 2018.
inline constexpr double tungsten_nrt_threshold_ev = 90.0;
inline constexpr ArcDpa tungsten_arc_dpa{70.0, -0.56, 0.12};
/// Power laws fitted to MD cascades in W, of the PKA's energy: Setyawan et al., J. Nucl. Mater. 462, 329
/// (2015); He et al. (3.81 pairs at 1 keV).
double setyawan_2015_pairs(double pka_energy_ev);
double he_pairs(double pka_energy_ev);

struct DamagePrediction {
  std::string name;    ///< "NRT", "arc-dpa", ...
  double pairs = 0.0;  ///< Frenkel pairs
};
/// All of the above for one tungsten recoil in tungsten, NRT and arc-dpa at its Lindhard damage energy.
std::vector<DamagePrediction> tungsten_predictions(double pka_energy_ev);

}  // namespace wafermark::tungsten
