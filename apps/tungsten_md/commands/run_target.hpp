// The two machines that a run can go on, made from the same input.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/region_timer.hpp"
#include "tungsten_md/commands/case_record.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"
#include "tungsten_md/wafer/tile_plan.hpp"

namespace wafermark::tungsten {

/// A run on one of the targets, and how its checkpoints are written.
struct Target {
  Configuration start;  ///< the atoms at the beginning of this piece
  std::unique_ptr<Dynamics> dynamics;
  nlohmann::json from;  ///< the "run" entry of the checkpoint that it goes on from; null for none
  std::function<void(const nlohmann::json& run)> save;
};

/// What both targets are made from. `relaxing` is called before each step of a relaxation.
struct Setting {
  const Communicator& comm;
  const Case& what;
  const PotentialTables& potential;
  const CaseRecord& record;
  RegionTimes& times;
  std::vector<std::string> checkpoints;  ///< to go on from
  std::string save_to, deck;
  std::function<void()> relaxing;
};

/// How a case sits on the emulated wafer, and its atoms where the plan needed them (those of a file). Throws
/// InputError. Collective.
struct PlannedWafer {
  TilePlan plan;
  std::optional<Configuration> start;  ///< all atoms, in the order of their ids
};
PlannedWafer plan_for(const Communicator& comm, const Case& what, const PotentialTables& potential);

/// Throw InputError for what the target cannot run, and for checkpoints that cannot be gone on with.
/// Collective.
Target on_cluster(const Setting& setting);
Target on_wafer(const Setting& setting);

}  // namespace wafermark::tungsten
