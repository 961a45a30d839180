// Irradiation of one crystal to a dose: the deck's [dose].
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "common/deck.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"
#include "tungsten_md/model/recoil_spectrum.hpp"

namespace wafermark::tungsten {

struct DoseSettings {
  /// recoils: one cascade after the other. insertion: creation-relaxation (Derlet and Dudarev, Phys. Rev.
  /// Mater. 4 (2020) 023605): atoms are moved to random places, and all of them relaxed.
  enum class Method { none, recoils, insertion } method = Method::none;

  RecoilSpectrum spectrum;          ///< of the recoils' energies
  std::string spectrum_file;        ///< empty: one energy
  std::string recoil_element;       ///< of the atoms that are hit; empty: any
  int recoil_type = -1;             ///< its number among potential.elements, or -1
  double first_ps = 0.0;            ///< time of the first recoil
  double hot_energy_ev = 1.0;       ///< a cascade is hot while an atom has more kinetic energy
  double least_hot_ps = 0.5;        ///< at least so long
  double most_hot_ps = 20.0;        ///< and at most
  double rest_ps = 1.0;             ///< then all atoms are in the bath for so long
  double rest_temperature_k = 0.0;  ///< of that bath
  double rest_damping_time_ps = 0.1;

  int pairs_at_once = 1;  ///< insertion: atoms moved between two relaxations

  double threshold_ev = 0.0;  ///< E_d of NRT
  double before_dpa = 0.0;    ///< dose that the sample had at the start
  double stop_dpa = std::numeric_limits<double>::infinity();
  std::int64_t saturation_events = 0;  ///< 0: never
  double saturation_change = 0.05;

  bool on() const { return method != Method::none; }
  /// `of_tungsten`: the potential is of tungsten alone, whose threshold is known. Throws InputError.
  static DoseSettings read(Deck& deck, const DynamicsSettings& dynamics, bool of_tungsten);
};

}  // namespace wafermark::tungsten
