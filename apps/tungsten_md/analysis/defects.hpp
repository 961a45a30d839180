// Point defects by Wigner-Seitz occupation (Nordlund et al., Phys. Rev. B 57, 7556 (1998)): a site whose cell
// holds no atom is a vacancy; every atom beyond the first in a cell is an interstitial; a site whose atoms
// came from elsewhere is a replacement. Begin reading here: ReferenceSites -> find_defects -> clusters ->
// DefectSeries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
  Vec3 partner_position{};  ///< of the atom that holds the site: the two are a dumbbell or lie in a crowdion
  std::string element{};    ///< of the extra atom
};

/// An atom of gas (gas.hpp), which holds no site.
struct GasAtom {
  std::int64_t atom = 0, site = 0;  ///< the site in whose cell it lies
  Vec3 position{};                  ///< of the atom
  std::string element;
  bool in_vacancy = false;  ///< no atom of the crystal holds that site
};

/// All positions are in Angstrom, in the frame and the box of the configuration: sites are where the crystal
/// is there, drift, origin and strain of the box included.
struct Defects {
  std::vector<Vacancy> vacancies;           ///< by site
  std::vector<Interstitial> interstitials;  ///< by site, then atom
  std::vector<GasAtom> gas;                 ///< by atom; not among the interstitials
  bool has_gas = false;                     ///< the configuration has such an element
  /// Sites held only by atoms that started elsewhere; none where the ids do not tell where atoms started.
  std::optional<std::int64_t> replacements;
  std::string replacements_note;  ///< why there are none
  /// Mixing: sum over the atoms of the squared distance between the site where they started and the one that
  /// they are on, Angstrom^2 (shortest way round the box). None where replacements are.
  std::optional<double> mixing_angstrom2;
  /// Mean over the crystal's atoms of the squared distance from the site where they started, Angstrom^2, by
  /// the shortest way round the box; heat included. None where replacements are.
  std::optional<double> mean_squared_displacement_angstrom2;
  std::int64_t outside = 0;  ///< atoms beyond an open surface: sputtered or adsorbed
  Vec3 drift{};              ///< rigid displacement of the crystal from the sites of the reference

  /// Pairs of a vacancy and an interstitial: min of both counts.
  std::int64_t frenkel_pairs() const;
};

/// Collective. All ranks get the same result, whatever the partition of the atoms and the number of ranks.
/// Atoms of gas occupy no sites: a cell that holds nothing else is a vacancy.
/// A box of another size than the reference's along periodic axes is taken as strained: positions are scaled
/// to the reference's box before they are compared. Occupation is counted by the ranks that own the sites
/// (blocks of site numbers): memory per rank is in proportion to its atoms. Throws InputError when the
/// reference has more than ten sites an atom (and a million): it is another crystal's.
Defects find_defects(const Communicator& comm, const Configuration& configuration,
                     const ReferenceSites& sites);

}  // namespace wafermark::tungsten
