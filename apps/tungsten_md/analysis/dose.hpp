// Dose in displacements per atom (dpa), by what models expect of the recoils: the axis of an irradiation.
#pragma once

#include <optional>
#include <vector>

#include "tungsten_md/analysis/damage_models.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

/// What a sample has had.
struct Dose {
  std::int64_t events = 0;        ///< recoils, or pairs that were inserted
  double dpa = 0.0;               ///< NRT displacements an atom, or inserted pairs an atom ("canonical" dpa)
  std::optional<double> dpa_arc;  ///< arc-dpa; for recoils in tungsten
};

/// How recoils are counted. The damage energy of a recoil is its whole energy, or Lindhard's share of it
/// where the run takes electronic losses out and the crystal is of one element.
class DoseModel {
 public:
  DoseModel(const Case& what, const PotentialTables& potential);

  Dose of(const std::vector<Recoil>& recoils, std::int64_t inserted_pairs, std::int64_t atoms) const;
  /// NRT displacements of a recoil, on the average over a spectrum.
  double displacements_of_a_recoil(const RecoilSpectrum& spectrum) const;

 private:
  double damage_energy(double recoil_energy_ev) const;

  double before_dpa_, threshold_ev_;
  std::optional<LindhardRobinson> losses_;
  bool tungsten_;
};

/// How many recoils a dose takes, and the physical time of a cascade and of all of them, as the deck bounds
/// it.
struct DoseLength {
  std::int64_t recoils = 0;
  double least_ps_each = 0.0, most_ps_each = 0.0, least_ps = 0.0, most_ps = 0.0;
};
/// None where recoils do not end at a dose.
std::optional<DoseLength> length_of_dose(const Case& what, const PotentialTables& potential,
                                         std::int64_t atoms);

/// Whether the number of pairs no longer grows: over the last `events` counts at rest, the mean of the second
/// half is that of the first but for a share `change`. False for fewer counts.
bool is_saturated(const std::vector<double>& pairs_at_rest, std::int64_t events, double change);

}  // namespace wafermark::tungsten
