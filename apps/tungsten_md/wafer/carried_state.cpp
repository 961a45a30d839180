// A run that began elsewhere goes on on the tiles: WaferSimulation takes atoms that are no longer where they
// began.
//
// Most are on their sites or beside them, and live on their sites' tiles. Those that have wandered take the
// tiles of the sites that are free, the nearest first; so interstitials live where the atoms lived that they
// have pushed away.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/errors.hpp"
#include "tungsten_md/wafer/placement/near_atoms.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

double squared(const Vec3& d) { return d[0] * d[0] + d[1] * d[1] + d[2] * d[2]; }

/// The site (index in `sites`) of each atom of `now` (index), of whom ids ascend in both.
std::vector<std::size_t> sites_of(const Configuration& sites, const Configuration& now) {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> site(now.atoms.size(), none), wandered;
  std::vector<bool> taken(sites.atoms.size(), false);
  for (std::size_t k = 0, s = 0; k < now.atoms.size(); ++k) {
    while (s < sites.atoms.size() && sites.atoms.id[s] < now.atoms.id[k]) ++s;
    if (s == sites.atoms.size() || sites.atoms.id[s] != now.atoms.id[k])
      throw InputError(fmt::format("checkpoint: found atom {}, expected atoms that the deck begins with",
                                   now.atoms.id[k]));
    const Vec3 &x = now.atoms.x[k], &home = sites.atoms.x[s];
    if (squared(now.box.minimum_image({x[0] - home[0], x[1] - home[1], x[2] - home[2]})) <
        stray_limit * stray_limit) {
      site[k] = s;
      taken[s] = true;
    } else {
      wandered.push_back(k);
    }
  }
  Configuration free{sites.box, sites.elements, sites.masses, {}};
  std::vector<std::size_t> number;
  for (std::size_t s = 0; s < taken.size(); ++s)
    if (!taken[s]) {
      free.atoms.id.push_back(sites.atoms.id[s]);
      free.atoms.x.push_back(sites.atoms.x[s]);
      number.push_back(s);
    }
  // Ever farther around, until all have one.
  for (double within = 4.0; !wandered.empty(); within *= 4.0) {
    if (within > 1e12)
      throw InputError(fmt::format("checkpoint: found atom {} nowhere, expected a finite position",
                                   now.atoms.id[wandered.front()]));
    const NearAtoms near(free, within);
    std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
    for (const std::size_t k : wandered)
      near.visit(now.atoms.x[k], [&](std::size_t f, const Vec3& d) {
        if (!taken[number[f]]) pairs.emplace_back(squared(d), k, number[f]);
      });
    std::sort(pairs.begin(), pairs.end());
    for (const auto& [distance, k, s] : pairs) {
      if (site[k] != none || taken[s]) continue;
      site[k] = s;
      taken[s] = true;
    }
    std::erase_if(wandered, [&](std::size_t k) { return site[k] != none; });
  }
  return site;
}

}  // namespace

void WaferSimulation::carry_on(const CarriedState& state) {
  const Configuration& now = state.configuration;
  if (now.box.lo != start_.box.lo || now.box.hi != start_.box.hi)
    throw InputError(
        fmt::format("checkpoint: found a box of {} x {} x {} Angstrom, expected the deck's {} x {} x {}, "
                    "which the wafer target keeps",
                    now.box.length(0), now.box.length(1), now.box.length(2), start_.box.length(0),
                    start_.box.length(1), start_.box.length(2)));
  const std::vector<std::size_t> site = sites_of(start_, now);
  std::vector<std::int64_t> atom_at(start_.atoms.size(), -1);
  for (std::size_t k = 0; k < site.size(); ++k) atom_at[site[k]] = static_cast<std::int64_t>(k);
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const std::int64_t s = block_->first_atom(i);
    const std::int64_t k = s < 0 ? -1 : atom_at[static_cast<std::size_t>(s)];
    if (k < 0) {
      block_->atom(i).id = -1;
      continue;
    }
    const auto from = static_cast<std::size_t>(k);
    block_->place_atom(i, now.atoms.id[from], now.atoms.type[from], now.atoms.x[from], now.atoms.v[from]);
  }
  keep_atoms(
      [&](std::int64_t id) { return std::binary_search(now.atoms.id.begin(), now.atoms.id.end(), id); });
  if (plan_.tables.elements.size() > 1) send_types();
  step_ = now.step;
  time_ps_ = now.time_ps;
  time_step_.resume(state.timestep_ps);
  pkas_fired_ = static_cast<std::size_t>(state.pkas_fired);
  lost_atoms_ = state.lost_atoms;
  recoils_ = state.recoils;
  missed_ = {};
  evaluate_energy();
  watch_interactions(step_);
  ledger_ = state.ledger;
  ledger_.initial_ev += thermo_.total_ev() - ledger_.expected_ev();
}

}  // namespace wafermark::tungsten
