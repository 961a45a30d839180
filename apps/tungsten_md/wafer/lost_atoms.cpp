// Atoms that have left an open box: WaferSimulation finds them by the rule that the cluster has too.
#include "tungsten_md/dynamics/lost_atoms.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "tungsten_md/wafer/interaction_audit.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

/// By the number of the step, so that a run in pieces looks when the whole one does.
constexpr std::int64_t steps_between_looks = 10;

}  // namespace

std::vector<std::int64_t> WaferSimulation::lost_atoms() const {
  const OpenFaces faces = open_faces(start_.box, plan_.tables.cutoff_angstrom + case_.run.skin_angstrom);
  bool outside = false;
  for (std::size_t i = 0; i < block_->tiles() && !outside; ++i) {
    if (block_->atom(i).id < 0) continue;
    const Vec3 x = block_->position(i);
    outside = faces.zone(x[0], x[1], x[2]) > 0;
  }
  if (comm_.max(outside ? 1 : 0) == 0) return {};
  const AllAtoms all = all_atoms();
  const Atoms& atoms = all.configuration.atoms;
  std::vector<std::size_t> out;
  std::vector<int> zones;
  for (std::size_t k = 0; k < atoms.size(); ++k)
    if (const int zone = faces.zone(atoms.x[k][0], atoms.x[k][1], atoms.x[k][2]); zone > 0) {
      out.push_back(k);
      zones.push_back(zone);
    }
  const std::vector<int> neighbours = count_neighbours(all.configuration, faces.radius, out);
  std::vector<std::int64_t> lost;
  for (std::size_t f = 0; f < out.size(); ++f)
    if (is_lost(zones[f], neighbours[f])) lost.push_back(atoms.id[out[f]]);
  return lost;
}

void WaferSimulation::settle_lost_atoms() {
  if (!has_open_axis(start_.box) || step_ % steps_between_looks != 0) return;
  const std::vector<std::int64_t> lost = lost_atoms();
  if (lost.empty()) return;
  if (case_.structure.lost_atoms == LostAtoms::error) {
    const AllAtoms all = all_atoms();
    const Atoms& atoms = all.configuration.atoms;
    const auto at = std::find(atoms.id.begin(), atoms.id.end(), lost.front()) - atoms.id.begin();
    throw std::runtime_error(
        lost_atom_text(lost.front(), atoms.x[static_cast<std::size_t>(at)], step_, time_ps_));
  }
  // Whatever they still share with other atoms goes with them: the difference is what the crystal lost.
  evaluate_energy();
  const double before = thermo_.total_ev();
  for (std::size_t i = 0; i < block_->tiles(); ++i)
    if (std::binary_search(lost.begin(), lost.end(), block_->atom(i).id)) block_->atom(i).id = -1;
  keep_atoms([&](std::int64_t id) { return !std::binary_search(lost.begin(), lost.end(), id); });
  evaluate_energy();
  ledger_.lost_ev += before - thermo_.total_ev();
  lost_atoms_ += static_cast<std::int64_t>(lost.size());
}

void WaferSimulation::keep_atoms(const std::function<bool(std::int64_t id)>& stays) {
  Atoms kept;
  for (std::size_t k = 0; k < start_.atoms.size(); ++k) {
    if (!stays(start_.atoms.id[k])) continue;
    kept.id.push_back(start_.atoms.id[k]);
    kept.type.push_back(start_.atoms.type[k]);
    kept.x.push_back(start_.atoms.x[k]);
    kept.v.push_back(start_.atoms.v[k]);
  }
  start_.atoms = std::move(kept);
  block_->atoms_removed(items_);
}

}  // namespace wafermark::tungsten
