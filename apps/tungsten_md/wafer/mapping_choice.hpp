// wafer.layer_cells = "auto": which way of laying a crystal on the wafer has the shortest predicted step.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tungsten_md/model/case.hpp"
#include "wse_emulator/machine.hpp"

namespace wafermark::tungsten {

struct TilePlan;

/// A way that was planned.
struct Mapping {
  int layer_cells = 0;  ///< 0: whole columns, one layer
  int layers = 0;
  int b = 0, candidates = 0;
  double cycles =
      0.0;  ///< TilePlan::predicted_cycles(): of a step before waiting, mean over what lists serve
  std::string refused = {};  ///< why the crystal does not fit so; empty: it does
};

/// Plans whole columns, then layers of 1, 2, ... cells, as far as layers can get faster by being thicker: an
/// atom that sees one layer on each side gains nothing by another cell in each. Of equal ones the first wins.
/// Structures that are no crystal, alloys, symmetric forces and four tiles an atom have whole columns only.
/// `with_layers(cells)` plans one way, or throws InputError. Throws InputError when no way fits.
TilePlan fastest_plan(const Case& what, const PotentialTables& potential,
                      const std::function<TilePlan(int layer_cells)>& with_layers);

/// For `info`: a line for each mapping, the chosen one first.
std::string mappings_text(const std::vector<Mapping>& tried, const wse::Machine& machine);
/// For the log: what was chosen, and what the others would have taken.
std::string choice_text(const std::vector<Mapping>& tried);
/// For the result.
nlohmann::json to_json(const std::vector<Mapping>& tried);

}  // namespace wafermark::tungsten
