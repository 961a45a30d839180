// "Metal" units: Angstrom, eV, ps, amu, K. CODATA 2018.
#pragma once

namespace wafermark::tungsten::units {

inline constexpr double boltzmann_ev_per_k = 8.617333262e-5;
/// 1 amu (A/ps)^2 in eV: 1.66053906660e-27 kg * 1e4 m2/s2 / 1.602176634e-19 J.
inline constexpr double amu_a2_per_ps2_in_ev = 1.66053906660e-23 / 1.602176634e-19;
/// 1 eV/A^3 in GPa.
inline constexpr double ev_per_a3_in_gpa = 160.2176634;
inline constexpr double ev_in_joule = 1.602176634e-19;
inline constexpr double hartree_ev_lammps = 27.2, bohr_angstrom_lammps = 0.529;  ///< as LAMMPS reads funcfl

}  // namespace wafermark::tungsten::units
