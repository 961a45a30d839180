#include "tungsten_md/wafer/mapping_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/errors.hpp"
#include "tungsten_md/wafer/tile_plan.hpp"

namespace wafermark::tungsten {
namespace {

/// Layers of so many cells along z.
int layers_of(int cells_along_z, int layer_cells) { return (cells_along_z + layer_cells - 1) / layer_cells; }

std::string name_of(const Mapping& m) {
  if (m.layer_cells == 0) return "whole columns";
  return fmt::format("layers of {} cell{}", m.layer_cells, m.layer_cells == 1 ? "" : "s");
}

/// One line of what whole columns and the thinnest layers lack, or of what has nothing to do with the
/// mapping.
[[noreturn]] void refuse_all(const std::vector<Mapping>& tried) {
  const std::string &columns = tried.front().refused,
                    &layers = tried[std::min(tried.size() - 1, std::size_t{1})].refused;
  if (columns == layers) throw InputError(columns);
  throw InputError(fmt::format("{}; in layers, {}", columns, layers));
}

class Choice {
 public:
  explicit Choice(const std::function<TilePlan(int)>& with_layers) : with_layers_(with_layers) {}

  /// Plans a way; returns the plan's layers on each side that an atom sees, nothing where it does not fit.
  std::optional<int> plan(int layer_cells) {
    Mapping mapping{.layer_cells = layer_cells};
    std::optional<int> seen;
    try {
      TilePlan plan = with_layers_(layer_cells);
      seen = plan.layout.layers_each_side;
      mapping.layers = plan.layout.layers();
      mapping.b = plan.layout.reach;
      mapping.candidates = plan.layout.candidates();
      mapping.cycles = plan.predicted_cycles(plan.machine);
      if (!best_ || mapping.cycles < tried_.front().cycles) {
        best_ = std::move(plan);
        tried_.insert(tried_.begin(), mapping);
        return seen;
      }
    } catch (const InputError& e) {
      mapping.refused = e.what();
    }
    tried_.push_back(mapping);
    return seen;
  }

  TilePlan take() {
    if (!best_) refuse_all(tried_);
    best_->tried = std::move(tried_);
    return std::move(*best_);
  }

 private:
  const std::function<TilePlan(int)>& with_layers_;
  std::vector<Mapping> tried_;  // the best first, once there is one
  std::optional<TilePlan> best_;
};

}  // namespace

TilePlan fastest_plan(const Case& what, const PotentialTables& potential,
                      const std::function<TilePlan(int layer_cells)>& with_layers) {
  const auto& lattice = what.structure.lattice;
  const WaferSettings& w = what.wafer;
  Choice choice(with_layers);
  choice.plan(0);
  const bool cut = lattice && potential.elements.size() == 1 && !w.force_symmetry && w.tiles_per_atom == 1;
  const int nz = cut ? lattice->cells[2] : 0;
  for (int cells = 1, layers = 0; cells < nz; ++cells) {
    if (layers_of(nz, cells) == layers) continue;  // cut as before
    layers = layers_of(nz, cells);
    if (choice.plan(cells) == 1) break;
  }
  return choice.take();
}

std::string mappings_text(const std::vector<Mapping>& tried, const wse::Machine& machine) {
  std::string text =
      fmt::format("mapping           {}, the shortest predicted step (mean over what lists serve) of:\n",
                  name_of(tried.front()));
  for (const Mapping& m : tried)
    text += m.refused.empty()
                ? fmt::format("  {:<28} {:>7.0f} cycles  {:.6g} steps/s: b = {}, {} candidates, {} layer{}\n",
                              name_of(m), m.cycles, machine.clock_hz / m.cycles, m.b, m.candidates, m.layers,
                              m.layers == 1 ? "" : "s")
                : fmt::format("  {:<28} does not fit: {}\n", name_of(m), m.refused);
  return text;
}

std::string choice_text(const std::vector<Mapping>& tried) {
  std::string text = fmt::format("{}, {:.0f} cycles predicted", name_of(tried.front()), tried.front().cycles);
  for (std::size_t k = 1; k < tried.size(); ++k)
    text += tried[k].refused.empty() ? fmt::format(", {}: {:.0f}", name_of(tried[k]), tried[k].cycles)
                                     : fmt::format(", {}: do not fit", name_of(tried[k]));
  return text;
}

nlohmann::json to_json(const std::vector<Mapping>& tried) {
  nlohmann::json list = nlohmann::json::array();
  for (const Mapping& m : tried) {
    nlohmann::json row{{"layer_cells", m.layer_cells}};
    if (m.refused.empty())
      row.update({{"layers", m.layers},
                  {"neighbourhood_b", m.b},
                  {"candidates", m.candidates},
                  {"predicted_cycles_per_step", m.cycles}});
    else
      row["refused"] = m.refused;
    list.push_back(row);
  }
  return list;
}

}  // namespace wafermark::tungsten
