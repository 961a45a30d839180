// Which atoms lie in the Wigner-Seitz cell of which site: the ranks' shares of it.
#pragma once

#include <cstdint>
#include <vector>

#include "tungsten_md/analysis/box_map.hpp"
#include "tungsten_md/analysis/reference_sites.hpp"

namespace wafermark::tungsten {

struct Occupant {
  std::int64_t site = 0, atom = -1, type = 0;
  double squared_distance = 0.0;
  Vec3 x{};  ///< as the configuration has it
};

/// Where the crystal of a configuration lies: the map to the reference's box, then a rigid displacement.
struct CrystalFrame {
  BoxMap map;
  Vec3 drift{};

  Vec3 to_sites(const Vec3& x) const {
    Vec3 s = map.to_reference(x);
    for (int d = 0; d < 3; ++d) s[d] -= drift[d];
    return s;
  }
  Vec3 position_of(std::int64_t site, const ReferenceSites& sites, const Box& box) const {
    Vec3 x = sites.position(site);
    for (int d = 0; d < 3; ++d) x[d] += drift[d];
    return box.wrap(map.to_frame(x));
  }
};

/// Sends each atom to the rank that owns its site, site / block; returns those of this rank's sites.
/// Collective.
std::vector<Occupant> occupants_of_own_sites(const Communicator& comm, const Atoms& atoms,
                                             const ReferenceSites& sites, const CrystalFrame& frame,
                                             std::int64_t block, std::int64_t& outside);

/// What a rank finds on the sites that it owns.
struct SiteCount {
  std::vector<std::int64_t> empty;
  std::vector<Occupant> extra;  ///< by site, then atom
  std::vector<Vec3> partner;    ///< of each of these: where the atom is that keeps the site
  std::int64_t occupied = 0, at_home = 0;
};

/// Of the `n_own` sites from `first` on.
SiteCount count_own_sites(const std::vector<Occupant>& occupants, const ReferenceSites& sites,
                          std::int64_t first, std::int64_t n_own);

}  // namespace wafermark::tungsten
