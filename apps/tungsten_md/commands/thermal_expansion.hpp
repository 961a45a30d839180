// structure.thermal_expansion = "measure": how much longer the lattice is at the deck's temperature.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

struct MeasuredExpansion {
  double factor = 1.0;          ///< on the deck's lattice constant
  double standard_error = 0.0;  ///< of it, from blocks of the run
  double temperature_k = 0.0, pressure_gpa = 0.0;

  nlohmann::json to_json() const;
  static MeasuredExpansion from_json(const nlohmann::json& j);
};

/// Runs a periodic crystal of about a thousand atoms of the deck's lattice under a Langevin thermostat and a
/// Berendsen barostat, on each rank by itself, so that any number of them finds the same. `before_step` is
/// called on all ranks and may throw on all. Collective. Throws InputError where that is no crystal.
MeasuredExpansion measure_expansion(const Communicator& comm, const Case& what,
                                    const PotentialTables& potential,
                                    const std::function<void()>& before_step);

/// Puts the expansion into the case where it is to be measured: that of the first of `checkpoints` which has
/// one, else measured now. None where the deck gives a number. Collective.
std::optional<MeasuredExpansion> settle_expansion(const Communicator& comm, Case& what,
                                                  const PotentialTables& potential,
                                                  const std::vector<std::string>& checkpoints,
                                                  const std::function<void()>& before_step);

}  // namespace wafermark::tungsten
