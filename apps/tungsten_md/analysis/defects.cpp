#include "tungsten_md/analysis/defects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "tungsten_md/analysis/box_map.hpp"
#include "tungsten_md/analysis/renumbering.hpp"

namespace wafermark::tungsten {

namespace {

struct Occupant {
  std::int64_t site = 0, atom = -1;
  double squared_distance = 0.0;
  Vec3 x{};  ///< as the configuration has it
};

/// Where the crystal of a configuration lies: the map to the reference's box, then a rigid displacement.
struct Frame {
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
std::vector<Occupant> occupants_of_own_sites(const Communicator& comm, const Atoms& atoms,
                                             const ReferenceSites& sites, const Frame& frame,
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
    labels[owner].insert(labels[owner].end(), {site, atoms.id[i]});
    positions[owner].insert(positions[owner].end(), atoms.x[i].begin(), atoms.x[i].end());
  }
  const auto label_parts = comm.all_to_all(labels);
  const auto position_parts = comm.all_to_all(positions);

  std::vector<Occupant> occupants;
  for (std::size_t r = 0; r < label_parts.size(); ++r)
    for (std::size_t k = 0; 2 * k < label_parts[r].size(); ++k) {
      const double* p = &position_parts[r][3 * k];
      Occupant o{label_parts[r][2 * k], label_parts[r][2 * k + 1], 0.0, {p[0], p[1], p[2]}};
      const Vec3 s = sites.position(o.site), x = frame.to_sites(o.x);
      const Vec3 d = sites.box().minimum_image({x[0] - s[0], x[1] - s[1], x[2] - s[2]});
      o.squared_distance = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      occupants.push_back(o);
    }
  return occupants;
}

/// Memory goes by sites too: a reference of far more sites than atoms is a mistake.
void require_fitting(const Communicator& comm, const Atoms& atoms, const ReferenceSites& sites) {
  const auto n = comm.sum(static_cast<std::int64_t>(atoms.size()));
  if (sites.size() / 10 > n + 100'000)
    throw InputError(fmt::format(
        "reference: found {} sites for {} atoms, expected about as many: are lattice, cells and box right?",
        sites.size(), n));
}

/// Atoms that sit where others of the reference started.
std::vector<Whereabouts> away_from_home(const std::vector<Occupant>& occupants, const ReferenceSites& sites) {
  std::vector<Whereabouts> away;
  for (const Occupant& o : occupants)
    if (const std::int64_t home = sites.site_of(o.atom); home >= 0 && home != o.site)
      away.push_back({home, o.site});
  return away;
}

/// In units of Angstrom^2 / mixing_scale: a sum of whole numbers does not depend on its order.
constexpr double mixing_scale = 1 << 20;

std::int64_t mixing_of(const std::vector<Whereabouts>& away, const ReferenceSites& sites) {
  std::int64_t sum = 0;
  for (const Whereabouts& w : away) {
    const Vec3 a = sites.position(w.home), b = sites.position(w.site);
    const Vec3 d = sites.box().minimum_image({b[0] - a[0], b[1] - a[1], b[2] - a[2]});
    sum += std::llround(mixing_scale * (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
  }
  return sum;
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

/// What a rank finds on the sites that it owns.
struct SiteCount {
  std::vector<std::int64_t> empty;
  std::vector<Occupant> extra;  ///< by site, then atom
  std::int64_t occupied = 0, at_home = 0;
};

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
  for (std::int64_t s = 0; s < n_own; ++s) {
    if (holder[s] < 0) count.empty.push_back(first + s);
    count.occupied += holder[s] >= 0;
    count.at_home += at_home[s];
  }
  return count;
}

/// Every rank's defects to all ranks. Blocks of sites ascend with the rank, so gathering keeps the order.
void gather(const Communicator& comm, const SiteCount& own, const Box& box, const ReferenceSites& sites,
            const Frame& frame, Defects& defects) {
  std::vector<std::int64_t> labels;
  std::vector<double> positions;
  for (const Occupant& o : own.extra) {
    labels.insert(labels.end(), {o.site, o.atom});
    const Vec3 x = box.wrap(o.x);
    positions.insert(positions.end(), x.begin(), x.end());
  }
  for (const std::int64_t site : comm.all_gather(own.empty))
    defects.vacancies.push_back({site, frame.position_of(site, sites, box)});
  labels = comm.all_gather(labels);
  positions = comm.all_gather(positions);
  for (std::size_t k = 0; 2 * k < labels.size(); ++k) {
    const double* p = &positions[3 * k];
    const std::int64_t site = labels[2 * k];
    defects.interstitials.push_back(
        {site, frame.position_of(site, sites, box), labels[2 * k + 1], {p[0], p[1], p[2]}});
  }
}

}  // namespace

std::int64_t Defects::frenkel_pairs() const {
  return static_cast<std::int64_t>(std::min(vacancies.size(), interstitials.size()));
}

Defects find_defects(const Communicator& comm, const Configuration& configuration,
                     const ReferenceSites& sites) {
  require_fitting(comm, configuration.atoms, sites);
  require_memory_for_sites(comm, sites.size(),
                           comm.sum(static_cast<std::int64_t>(configuration.atoms.size())));
  Frame frame{{configuration.box, sites.box()}};
  Defects defects;
  if (frame.map.is_identity()) {
    defects.drift = estimate_drift(comm, configuration.atoms, sites);
  } else {
    Atoms mapped = configuration.atoms;
    for (Vec3& x : mapped.x) x = frame.map.to_reference(x);
    defects.drift = estimate_drift(comm, mapped, sites);
  }
  frame.drift = defects.drift;

  const std::int64_t block = (sites.size() + comm.size() - 1) / comm.size();
  const std::int64_t first = std::min(comm.rank() * block, sites.size());
  const std::int64_t n_own = std::min(block, sites.size() - first);
  const std::vector<Occupant> occupants =
      occupants_of_own_sites(comm, configuration.atoms, sites, frame, block, defects.outside);
  const SiteCount own = count_own_sites(occupants, sites, first, n_own);
  gather(comm, own, configuration.box, sites, frame, defects);

  const std::vector<Whereabouts> away = away_from_home(occupants, sites);
  const std::vector<std::int64_t> sums = comm.sum(std::vector<std::int64_t>{
      defects.outside, own.occupied, own.at_home, static_cast<std::int64_t>(configuration.atoms.size()),
      mixing_of(away, sites)});
  defects.outside = sums[0];
  const bool renumbered = look_renumbered(comm, away, sites.size(), sums[3] == sites.size());
  if (!configuration.ids_known || !sites.ids_known())
    defects.replacements_note = "the atoms have no ids";
  else if (2 * sums[2] <= sums[1])
    defects.replacements_note = "the ids of most atoms are not those of the sites that they are on";
  else if (renumbered)
    defects.replacements_note = "the ids look numbered anew: neighbours in number are away by the same step";
  else {
    defects.replacements = sums[1] - sums[2];
    defects.mixing_angstrom2 = static_cast<double>(sums[4]) / mixing_scale;
  }
  return defects;
}

}  // namespace wafermark::tungsten
