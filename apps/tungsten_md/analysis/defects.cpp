#include "tungsten_md/analysis/defects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "tungsten_md/analysis/gas.hpp"
#include "tungsten_md/analysis/occupation.hpp"
#include "tungsten_md/analysis/renumbering.hpp"

namespace wafermark::tungsten {

namespace {

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

/// Sum over these atoms of the squared distance from home, and how many have one.
std::array<std::int64_t, 2> displacement_of(const Atoms& atoms, const ReferenceSites& sites,
                                            const CrystalFrame& frame) {
  std::array<std::int64_t, 2> sums{};
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const std::int64_t home = sites.site_of(atoms.id[i]);
    if (home < 0) continue;
    const Vec3 s = sites.position(home), x = frame.to_sites(atoms.x[i]);
    const Vec3 d = sites.box().minimum_image({x[0] - s[0], x[1] - s[1], x[2] - s[2]});
    sums[0] += std::llround(mixing_scale * (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
    ++sums[1];
  }
  return sums;
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

std::string element_of(std::int64_t type, const Configuration& configuration) {
  const auto t = static_cast<std::size_t>(type);
  return t < configuration.elements.size() ? configuration.elements[t] : "";
}

/// Every rank's defects to all ranks. Blocks of sites ascend with the rank, so gathering keeps the order.
void gather(const Communicator& comm, const SiteCount& own, const Configuration& configuration,
            const ReferenceSites& sites, const CrystalFrame& frame, Defects& defects) {
  const Box& box = configuration.box;
  std::vector<std::int64_t> labels;
  std::vector<double> positions;
  for (std::size_t k = 0; k < own.extra.size(); ++k) {
    labels.insert(labels.end(), {own.extra[k].site, own.extra[k].atom, own.extra[k].type});
    for (const Vec3& x : {box.wrap(own.extra[k].x), box.wrap(own.partner[k])})
      positions.insert(positions.end(), x.begin(), x.end());
  }
  for (const std::int64_t site : comm.all_gather(own.empty))
    defects.vacancies.push_back({site, frame.position_of(site, sites, box)});
  labels = comm.all_gather(labels);
  positions = comm.all_gather(positions);
  for (std::size_t k = 0; 3 * k < labels.size(); ++k) {
    const double* p = &positions[6 * k];
    const std::int64_t site = labels[3 * k];
    defects.interstitials.push_back({site,
                                     frame.position_of(site, sites, box),
                                     labels[3 * k + 1],
                                     {p[0], p[1], p[2]},
                                     {p[3], p[4], p[5]},
                                     element_of(labels[3 * k + 2], configuration)});
  }
}

/// The atoms of gas, of all ranks; the vacancies are known. Those without a site count as outside.
void gather_gas(const Communicator& comm, const Atoms& gas, const Configuration& configuration,
                const ReferenceSites& sites, const CrystalFrame& frame, Defects& defects) {
  std::vector<std::int64_t> labels;
  std::vector<double> positions;
  for (std::size_t i = 0; i < gas.size(); ++i) {
    const std::int64_t site = sites.nearest_site(sites.box().wrap(frame.to_sites(gas.x[i])));
    if (site < 0) {
      ++defects.outside;
      continue;
    }
    labels.insert(labels.end(), {gas.id[i], site, gas.type[i]});
    const Vec3 x = configuration.box.wrap(gas.x[i]);
    positions.insert(positions.end(), x.begin(), x.end());
  }
  labels = comm.all_gather(labels);
  positions = comm.all_gather(positions);
  const auto vacant = [&](std::int64_t site) {
    const auto found =
        std::lower_bound(defects.vacancies.begin(), defects.vacancies.end(), site,
                         [](const Vacancy& v, std::int64_t wanted) { return v.site < wanted; });
    return found != defects.vacancies.end() && found->site == site;
  };
  for (std::size_t k = 0; 3 * k < labels.size(); ++k) {
    const double* p = &positions[3 * k];
    defects.gas.push_back({labels[3 * k],
                           labels[3 * k + 1],
                           {p[0], p[1], p[2]},
                           element_of(labels[3 * k + 2], configuration),
                           vacant(labels[3 * k + 1])});
  }
  std::sort(defects.gas.begin(), defects.gas.end(),
            [](const GasAtom& a, const GasAtom& b) { return a.atom < b.atom; });
}

}  // namespace

std::int64_t Defects::frenkel_pairs() const {
  return static_cast<std::int64_t>(std::min(vacancies.size(), interstitials.size()));
}

namespace {

/// Why nothing can be said about where atoms started; empty: it can.
std::string note_on_replacements(const Configuration& configuration, const ReferenceSites& sites,
                                 std::int64_t occupied, std::int64_t at_home, bool renumbered) {
  if (!configuration.ids_known || !sites.ids_known()) return "the atoms have no ids";
  if (2 * at_home <= occupied) return "the ids of most atoms are not those of the sites that they are on";
  return renumbered ? "the ids look numbered anew: neighbours in number are away by the same step" : "";
}

Defects find_defects_of(const Communicator& comm, const Configuration& configuration, const Atoms& crystal,
                        const Atoms& gas, const ReferenceSites& sites) {
  require_fitting(comm, crystal, sites);
  const std::int64_t atoms = comm.sum(static_cast<std::int64_t>(crystal.size()));
  require_memory_for_sites(comm, sites.size(), atoms);
  CrystalFrame frame{{configuration.box, sites.box()}};
  Defects defects;
  if (frame.map.is_identity()) {
    defects.drift = estimate_drift(comm, crystal, sites);
  } else {
    Atoms mapped = crystal;
    for (Vec3& x : mapped.x) x = frame.map.to_reference(x);
    defects.drift = estimate_drift(comm, mapped, sites);
  }
  frame.drift = defects.drift;

  const std::int64_t block = (sites.size() + comm.size() - 1) / comm.size();
  const std::int64_t first = std::min(comm.rank() * block, sites.size());
  const std::int64_t n_own = std::min(block, sites.size() - first);
  const std::vector<Occupant> occupants =
      occupants_of_own_sites(comm, crystal, sites, frame, block, defects.outside);
  const SiteCount own = count_own_sites(occupants, sites, first, n_own);
  gather(comm, own, configuration, sites, frame, defects);
  gather_gas(comm, gas, configuration, sites, frame, defects);

  const std::vector<Whereabouts> away = away_from_home(occupants, sites);
  const auto [displacement, with_home] = displacement_of(crystal, sites, frame);
  const std::vector<std::int64_t> sums = comm.sum(std::vector<std::int64_t>{
      defects.outside, own.occupied, own.at_home, mixing_of(away, sites), displacement, with_home});
  defects.outside = sums[0];
  const bool renumbered = look_renumbered(comm, away, sites.size(), atoms == sites.size());
  defects.replacements_note = note_on_replacements(configuration, sites, sums[1], sums[2], renumbered);
  if (!defects.replacements_note.empty()) return defects;
  defects.replacements = sums[1] - sums[2];
  defects.mixing_angstrom2 = static_cast<double>(sums[3]) / mixing_scale;
  if (sums[5] > 0)
    defects.mean_squared_displacement_angstrom2 =
        static_cast<double>(sums[4]) / (mixing_scale * static_cast<double>(sums[5]));
  return defects;
}

}  // namespace

Defects find_defects(const Communicator& comm, const Configuration& configuration,
                     const ReferenceSites& sites) {
  const std::vector<char> gas = gas_types(configuration.elements);
  if (std::find(gas.begin(), gas.end(), 1) == gas.end())
    return find_defects_of(comm, configuration, configuration.atoms, {}, sites);
  const AtomsApart parts = apart(configuration);
  Defects defects = find_defects_of(comm, configuration, parts.crystal, parts.gas, sites);
  defects.has_gas = true;
  return defects;
}

}  // namespace wafermark::tungsten
