#include "tungsten_md/analysis/defects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "common/memory.hpp"

namespace wafermark::tungsten {

namespace {

struct Occupant {
  std::int64_t site = 0, atom = -1;
  double squared_distance = 0.0;
  Vec3 x{};
};

/// Sends each atom to the rank that owns its site, site / block; returns those of this rank's sites.
std::vector<Occupant> occupants_of_own_sites(const Communicator& comm, const Atoms& atoms,
                                             const ReferenceSites& sites, const Vec3& drift,
                                             std::int64_t block, std::int64_t& outside) {
  std::vector<std::vector<std::int64_t>> labels(comm.size());
  std::vector<std::vector<double>> positions(comm.size());
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const Vec3 x =
        sites.box().wrap({atoms.x[i][0] - drift[0], atoms.x[i][1] - drift[1], atoms.x[i][2] - drift[2]});
    const std::int64_t site = sites.nearest_site(x);
    if (site < 0) {
      ++outside;
      continue;
    }
    const auto owner = static_cast<std::size_t>(site / block);
    labels[owner].insert(labels[owner].end(), {site, atoms.id[i]});
    positions[owner].insert(positions[owner].end(), x.begin(), x.end());
  }
  const auto label_parts = comm.all_to_all(labels);
  const auto position_parts = comm.all_to_all(positions);

  std::vector<Occupant> occupants;
  for (std::size_t r = 0; r < label_parts.size(); ++r)
    for (std::size_t k = 0; 2 * k < label_parts[r].size(); ++k) {
      const double* p = &position_parts[r][3 * k];
      Occupant o{label_parts[r][2 * k], label_parts[r][2 * k + 1], 0.0, {p[0], p[1], p[2]}};
      const Vec3 s = sites.position(o.site);
      const Vec3 d = sites.box().minimum_image({o.x[0] - s[0], o.x[1] - s[1], o.x[2] - s[2]});
      o.squared_distance = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      occupants.push_back(o);
    }
  return occupants;
}

bool nearer(const Occupant& a, const Occupant& b) {
  return std::tie(a.squared_distance, a.atom) < std::tie(b.squared_distance, b.atom);
}

/// Sites without an atom are vacancies, and every rank holds them all: a lattice far larger than the crystal
/// is refused before its sites are gone through.
void require_memory_for_sites(const Communicator& comm, std::int64_t sites, std::int64_t atoms) {
  const double bytes = 9.0 * static_cast<double>(sites) / comm.size() +
                       static_cast<double>(sizeof(Vacancy) + sizeof(std::int64_t)) *
                           std::max(0.0, static_cast<double>(sites) - static_cast<double>(atoms));
  if (bytes > 1e8)
    require_memory(comm, bytes, fmt::format("{} sites of the reference for {} atoms", sites, atoms));
}

}  // namespace

std::int64_t Defects::frenkel_pairs() const {
  return static_cast<std::int64_t>(std::min(vacancies.size(), interstitials.size()));
}

Defects find_defects(const Communicator& comm, const Atoms& atoms, const ReferenceSites& sites) {
  require_memory_for_sites(comm, sites.size(), comm.sum(static_cast<std::int64_t>(atoms.size())));
  Defects defects;
  defects.drift = estimate_drift(comm, atoms, sites);

  const std::int64_t block = (sites.size() + comm.size() - 1) / comm.size();
  const std::int64_t first = std::min(comm.rank() * block, sites.size());
  const std::int64_t n_own = std::min(block, sites.size() - first);
  const std::vector<Occupant> occupants =
      occupants_of_own_sites(comm, atoms, sites, defects.drift, block, defects.outside);

  std::vector<std::int64_t> holder(n_own, -1);  // the occupant that keeps the site
  std::vector<char> at_home(n_own, 0);          // the atom that started here is among the occupants
  std::vector<Occupant> extra;
  for (std::size_t k = 0; k < occupants.size(); ++k) {
    const Occupant& o = occupants[k];
    std::int64_t& keeper = holder[o.site - first];
    if (keeper < 0)
      keeper = static_cast<std::int64_t>(k);
    else if (nearer(o, occupants[keeper])) {
      extra.push_back(occupants[keeper]);
      keeper = static_cast<std::int64_t>(k);
    } else
      extra.push_back(o);
    if (sites.atom_of(o.site) == o.atom) at_home[o.site - first] = 1;
  }
  std::sort(extra.begin(), extra.end(), [](const Occupant& a, const Occupant& b) {
    return std::tie(a.site, a.atom) < std::tie(b.site, b.atom);
  });

  std::vector<std::int64_t> empty, extra_labels;
  std::vector<double> extra_positions;
  std::int64_t own_atoms = 0, occupied = 0;
  for (std::int64_t s = 0; s < n_own; ++s) {
    if (holder[s] < 0) empty.push_back(first + s);
    occupied += holder[s] >= 0;
    own_atoms += at_home[s];
  }
  for (const Occupant& o : extra) {
    extra_labels.insert(extra_labels.end(), {o.site, o.atom});
    extra_positions.insert(extra_positions.end(), o.x.begin(), o.x.end());
  }

  // Blocks of sites ascend with the rank, so gathering keeps the order.
  for (std::int64_t site : comm.all_gather(empty)) defects.vacancies.push_back({site, sites.position(site)});
  extra_labels = comm.all_gather(extra_labels);
  extra_positions = comm.all_gather(extra_positions);
  for (std::size_t k = 0; 2 * k < extra_labels.size(); ++k) {
    const double* p = &extra_positions[3 * k];
    const std::int64_t site = extra_labels[2 * k];
    defects.interstitials.push_back(
        {site, sites.position(site), extra_labels[2 * k + 1], {p[0], p[1], p[2]}});
  }
  const std::vector<std::int64_t> sums =
      comm.sum(std::vector<std::int64_t>{defects.outside, occupied, own_atoms});
  defects.outside = sums[0];
  if (2 * sums[2] > sums[1]) defects.replacements = sums[1] - sums[2];
  return defects;
}

}  // namespace wafermark::tungsten
