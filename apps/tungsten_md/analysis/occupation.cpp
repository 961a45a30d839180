#include "tungsten_md/analysis/occupation.hpp"

#include <algorithm>
#include <tuple>

namespace wafermark::tungsten {
namespace {

bool nearer(const Occupant& a, const Occupant& b) {
  return std::tie(a.squared_distance, a.atom) < std::tie(b.squared_distance, b.atom);
}

}  // namespace

std::vector<Occupant> occupants_of_own_sites(const Communicator& comm, const Atoms& atoms,
                                             const ReferenceSites& sites, const CrystalFrame& frame,
                                             std::int64_t block, std::int64_t& outside) {
  std::vector<std::vector<std::int64_t>> labels(comm.size());
  std::vector<std::vector<double>> positions(comm.size());
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const std::int64_t site = sites.nearest_site(sites.box().wrap(frame.to_sites(atoms.x[i])));
    if (site < 0) {
      ++outside;
      continue;
    }
    const auto owner = static_cast<std::size_t>(site / block);
    labels[owner].insert(labels[owner].end(), {site, atoms.id[i], atoms.type[i]});
    positions[owner].insert(positions[owner].end(), atoms.x[i].begin(), atoms.x[i].end());
  }
  const auto label_parts = comm.all_to_all(labels);
  const auto position_parts = comm.all_to_all(positions);

  std::vector<Occupant> occupants;
  for (std::size_t r = 0; r < label_parts.size(); ++r)
    for (std::size_t k = 0; 3 * k < label_parts[r].size(); ++k) {
      const double* p = &position_parts[r][3 * k];
      const std::int64_t* label = &label_parts[r][3 * k];
      Occupant o{label[0], label[1], label[2], 0.0, {p[0], p[1], p[2]}};
      const Vec3 s = sites.position(o.site), x = frame.to_sites(o.x);
      const Vec3 d = sites.box().minimum_image({x[0] - s[0], x[1] - s[1], x[2] - s[2]});
      o.squared_distance = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      occupants.push_back(o);
    }
  return occupants;
}

SiteCount count_own_sites(const std::vector<Occupant>& occupants, const ReferenceSites& sites,
                          std::int64_t first, std::int64_t n_own) {
  SiteCount count;
  std::vector<std::int64_t> holder(n_own, -1);  // the occupant that keeps the site
  std::vector<char> at_home(n_own, 0);          // the atom that started here is among the occupants
  for (std::size_t k = 0; k < occupants.size(); ++k) {
    const Occupant& o = occupants[k];
    std::int64_t& keeper = holder[o.site - first];
    if (keeper < 0)
      keeper = static_cast<std::int64_t>(k);
    else if (nearer(o, occupants[keeper])) {
      count.extra.push_back(occupants[keeper]);
      keeper = static_cast<std::int64_t>(k);
    } else
      count.extra.push_back(o);
    if (sites.atom_of(o.site) == o.atom) at_home[o.site - first] = 1;
  }
  std::sort(count.extra.begin(), count.extra.end(), [](const Occupant& a, const Occupant& b) {
    return std::tie(a.site, a.atom) < std::tie(b.site, b.atom);
  });
  for (const Occupant& o : count.extra)
    count.partner.push_back(occupants[static_cast<std::size_t>(holder[o.site - first])].x);
  for (std::int64_t s = 0; s < n_own; ++s) {
    if (holder[s] < 0) count.empty.push_back(first + s);
    count.occupied += holder[s] >= 0;
    count.at_home += at_home[s];
  }
  return count;
}

}  // namespace wafermark::tungsten
