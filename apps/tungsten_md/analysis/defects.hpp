// Point defects by Wigner-Seitz occupation (Nordlund et al., Phys. Rev. B 57, 7556 (1998)): a site whose cell
// holds no atom is a vacancy; every atom beyond the first in a cell is an interstitial; a site whose atoms
// came from elsewhere is a replacement. Begin reading here: ReferenceSites -> find_defects -> clusters ->
// DefectSeries.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tungsten_md/analysis/reference_sites.hpp"

namespace wafermark::tungsten {

struct Vacancy {
  std::int64_t site = 0;
  Vec3 position{};  ///< of the site
};

/// The extra atom of a cell: not the one nearest to the site (ties: the lower id stays).
struct Interstitial {
  std::int64_t site = 0;
  Vec3 position{};  ///< of the site
  std::int64_t atom = 0;
  Vec3 atom_position{};
};

/// Positions in Angstrom in the frame of the reference (drift removed), inside its box.
struct Defects {
  std::vector<Vacancy> vacancies;           ///< by site
  std::vector<Interstitial> interstitials;  ///< by site, then atom
  /// Sites held only by atoms that started elsewhere. None where most atoms are not at home, that is, where
  /// the ids of the atoms do not number the sites.
  std::optional<std::int64_t> replacements;
  std::int64_t outside = 0;  ///< atoms beyond an open surface: sputtered or adsorbed
  Vec3 drift{};              ///< rigid displacement of the crystal that was removed

  /// Pairs of a vacancy and an interstitial: min of both counts.
  std::int64_t frenkel_pairs() const;
};

/// Collective. All ranks get the same result, whatever the partition of the atoms and the number of ranks.
/// Occupation is counted by the ranks that own the sites (blocks of site numbers): memory per rank is in
/// proportion to its atoms.
Defects find_defects(const Communicator& comm, const Atoms& atoms, const ReferenceSites& sites);

}  // namespace wafermark::tungsten
