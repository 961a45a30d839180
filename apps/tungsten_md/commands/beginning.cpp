#include "tungsten_md/commands/beginning.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "tungsten_md/io/checkpoint.hpp"

namespace wafermark::tungsten {
namespace {

/// The run ended because of its dose, and would do so now.
bool has_its_dose(const nlohmann::json& result, const DoseSettings& dose) {
  if (!dose.on() || !result.contains("dose")) return false;
  const nlohmann::json& had = result["dose"];
  const std::string ended_by = had.at("ended_by").get<std::string>();
  if (ended_by == "saturation")
    return had.at("saturation") == nlohmann::json{dose.saturation_events, dose.saturation_change};
  return ended_by == "dose" && had.at("dpa").get<double>() >= dose.stop_dpa;
}

/// Throws when the folder's result is of another case; says whether it is of this one, complete, and long
/// enough.
bool is_complete(const nlohmann::json& result, const Case& what, const CaseRecord& record,
                 const std::string& where) {
  if (!result.contains("case"))
    throw InputError(
        fmt::format("{}: found a result that does not say of what case it is, expected one of this "
                    "version (--overwrite begins anew)",
                    where));
  const bool complete = result.value("status", "incomplete") == "complete" && result.contains("end");
  const double time_ps = complete ? result["end"].at("time_ps").get<double>() : 0.0;
  record.require_continues(CaseRecord::from_json(result["case"]), where, time_ps);
  if (!complete) return false;
  const bool long_enough = result["end"].at("step").get<std::int64_t>() >= what.run.steps ||
                           time_ps >= what.run.duration_ps || has_its_dose(result, what.dose);
  // A recoil that is added is allowed, but a run that is over would leave it out.
  std::size_t recoils = 0;
  while (result["case"].contains(fmt::format("pka.{}.energy_ev", recoils))) ++recoils;
  if (long_enough && what.dynamics.pkas.size() > recoils)
    throw InputError(
        fmt::format("{}: the run is complete at {:.6g} ps with {} recoils, the deck has {}, expected a "
                    "larger run.steps or run.duration_ps too",
                    where, time_ps, recoils, what.dynamics.pkas.size()));
  return long_enough;
}

}  // namespace

Beginning choose_beginning(const Communicator& comm, const RestartOptions& options, const Case& what,
                           const CaseRecord& record, const OutputFolder& out) {
  Beginning b;
  const bool automatic = options.restart == "auto";
  b.in_place = automatic || (!options.restart.empty() && out.holds(options.restart));
  if (b.in_place && options.overwrite)
    throw InputError(fmt::format(
        "--overwrite: removes what --restart {} goes on from, expected one of the two", options.restart));
  if (!b.in_place) {
    if (!options.overwrite) out.require_empty();
    if (!options.restart.empty()) b.checkpoints = {options.restart};
    return b;
  }
  const std::string where = out.path() + "/result.json";
  if (const auto result = out.result()) try {
      if (is_complete(*result, what, record, where)) {
        b.complete_result = *result;
        return b;
      }
    } catch (const nlohmann::json::exception&) {
      throw InputError(where + ": found a damaged result, expected that of a run (--overwrite begins anew)");
    }
  b.checkpoints = automatic ? out.checkpoints() : std::vector<std::string>{options.restart};
  if (automatic && b.checkpoints.empty()) {
    b.in_place = false;
    if (!out.left().empty() && comm.is_root())
      fmt::print(stderr, "note: {}: found no checkpoint, the run begins anew\n", out.path());
  }
  return b;
}

nlohmann::json take_checkpoint(const Communicator& comm, const std::vector<std::string>& checkpoints,
                               const CaseRecord& record,
                               const std::function<void(const FoundCheckpoint&)>& take) {
  for (const std::string& path : checkpoints) try {
      const nlohmann::json header = read_checkpoint_header(comm, path);
      if (!header.contains("run") || !header["run"].contains("case"))
        throw InputError(
            fmt::format("{}: found a checkpoint of an older version, expected one of this", path));
      const nlohmann::json& run = header["run"];
      const CaseRecord stored = CaseRecord::from_json(run.at("case"));
      const double time_ps = run.at("time_ps").get<double>();
      if (record.is_of_the_target_of(stored))
        record.require_continues(stored, path, time_ps);
      else
        record.on_any_target().require_continues(stored.on_any_target(), path, time_ps);
      take({path, header.at("format").get<std::string>().starts_with("wafermark-wafer-")});
      if (comm.is_root() && path != checkpoints.front())
        fmt::print(stderr, "note: goes on from {} instead, which is older\n", path);
      return run;
    } catch (const OtherCase&) {
      throw;
    } catch (const InputError& e) {
      if (path == checkpoints.back()) throw;
      if (comm.is_root()) fmt::print(stderr, "note: {}\n", e.what());
    }
  throw InputError("--restart: found no checkpoint");
}

}  // namespace wafermark::tungsten
