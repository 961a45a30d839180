#include "tungsten_md/analysis/damage_models.hpp"

#include <cmath>

namespace wafermark::tungsten {

LindhardRobinson LindhardRobinson::of(int z1, double a1, int z2, double a2) {
  const double z1_23 = std::pow(z1, 2.0 / 3.0), z2_23 = std::pow(z2, 2.0 / 3.0);
  LindhardRobinson model;
  model.energy_scale_ev = 30.724 * z1 * z2 * std::sqrt(z1_23 + z2_23) * (a1 + a2) / a2;
  model.stopping_factor = 0.0793 * z1_23 * std::sqrt(z2) * std::pow(a1 + a2, 1.5) /
                          (std::pow(z1_23 + z2_23, 0.75) * std::pow(a1, 1.5) * std::sqrt(a2));
  return model;
}

double LindhardRobinson::damage_energy(double recoil_energy_ev) const {
  const double e = recoil_energy_ev / energy_scale_ev;
  const double g = 3.4008 * std::pow(e, 1.0 / 6.0) + 0.40244 * std::pow(e, 0.75) + e;
  return recoil_energy_ev / (1.0 + stopping_factor * g);
}

double nrt_displacements(double damage_energy_ev, double threshold_ev) {
  if (damage_energy_ev < threshold_ev) return 0.0;
  if (damage_energy_ev < 2.0 * threshold_ev / 0.8) return 1.0;
  return 0.8 * damage_energy_ev / (2.0 * threshold_ev);
}

double ArcDpa::displacements(double damage_energy_ev) const {
  const double nrt = nrt_displacements(damage_energy_ev, threshold_ev);
  const double onset = 2.0 * threshold_ev / 0.8;
  if (damage_energy_ev < onset) return nrt;
  return nrt * ((1.0 - c) * std::pow(damage_energy_ev / onset, b) + c);
}

double setyawan_2015_pairs(double pka_energy_ev) { return 0.0115 * std::pow(pka_energy_ev, 0.74); }

double he_pairs(double pka_energy_ev) { return 3.81 * std::pow(pka_energy_ev / 1000.0, 0.62); }

std::vector<DamagePrediction> tungsten_predictions(double pka_energy_ev) {
  const double damage_energy = LindhardRobinson::of(74, 183.84, 74, 183.84).damage_energy(pka_energy_ev);
  return {{"NRT", nrt_displacements(damage_energy, tungsten_nrt_threshold_ev)},
          {"arc-dpa", tungsten_arc_dpa.displacements(damage_energy)},
          {"Setyawan 2015", setyawan_2015_pairs(pka_energy_ev)},
          {"He", he_pairs(pka_energy_ev)}};
}

}  // namespace wafermark::tungsten
