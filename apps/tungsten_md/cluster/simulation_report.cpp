// What a run on MPI ranks says of itself in its result.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/dynamics/lost_atoms.hpp"

namespace wafermark::tungsten {

void Simulation::report(Result& result, const RunLoop& loop) const {
  const double steps = static_cast<double>(loop.steps);
  const double atom_steps = static_cast<double>(atoms()) * steps;
  const bool ran = loop.seconds > 0.0 && loop.steps > 0;
  const Domain::Memory memory = domain_->bytes();
  result.add_figure("steps_per_second", ran ? std::optional(steps / loop.seconds) : std::nullopt, "1/s");
  result.add_figure("atom_steps_per_second", ran ? std::optional(atom_steps / loop.seconds) : std::nullopt,
                    "1/s");
  result.add_figure("joules_per_atom_step",
                    loop.joules && loop.steps > 0 ? std::optional(*loop.joules / atom_steps) : std::nullopt,
                    "J", Kind::measured, loop.energy_note);
  result.add_figure("bytes_per_atom", comm_.max(memory.particles + memory.list + memory.force_field), "B");
  result.add_figure("list_rebuilds", static_cast<double>(domain_->rebuilds()), "");
  if (domain_->list().kind == ListKind::full)
    result.add_figure("lanes_per_atom", static_cast<double>(domain_->list().lanes), "");
  if (case_.run.launch != Launch::kernels) {
    const char* note = teams_meet_ ? "" : "teams did not run at once: one step at a time from then on";
    result.add_figure("steps_launched_together", static_cast<double>(steps_ahead_), "", Kind::measured, note);
    result.add_figure("launches_of_steps", static_cast<double>(launches_ahead_), "");
  }
  if (case_.run.list_every > 0)  // the deck's own choice, as of LAMMPS' benchmark
    result.add_figure("late_lists", static_cast<double>(late_lists()), "");
  else
    result.add_check("late_lists", static_cast<double>(late_lists()), 0.0, 0.0, "");
  if (has_open_axis(frame_.box)) {
    result.add_figure("lost_atoms", static_cast<double>(lost_atoms_), "");
    result.add_figure("lost_energy_ev", ledger_.lost_ev, "eV");
  }
  // Beyond its last energy a table says nothing; the last power was taken.
  if (case_.dynamics.stopping.kind == StoppingSettings::Kind::table)
    result.add_check("atom_steps_above_stopping_table",
                     static_cast<double>(comm_.sum(stopping_.above_table())), 0.0, 0.0, "");
  if (relaxation_ && case_.dynamics.relax.box.on())
    result.add_check("relaxed_pressure_error", relaxation_->pressure_error_gpa, 0.0,
                     case_.dynamics.relax.box.tolerance_gpa, "GPa");
  if (electrons_.has_cells()) {
    const auto kelvin = electrons_.temperatures_k(frame_.box);
    result.add_figure("electron_temperature_end_k", electrons_.mean_temperature_k(frame_.box), "K");
    result.add_figure("electron_temperature_hottest_k", *std::max_element(kelvin.begin(), kelvin.end()), "K",
                      Kind::measured, "of a cell, at the end");
    result.add_check("electron_balance_per_atom", electron_balance_ev() / static_cast<double>(atoms()), 0.0,
                     case_.check.energy_tolerance_ev_per_atom, "eV");
  }
  if (case_.dynamics.thermostat.kind == ThermostatSettings::Kind::nose_hoover)
    result.add_check("chain_balance_per_atom", chain_balance_ev() / static_cast<double>(atoms()), 0.0,
                     case_.check.energy_tolerance_ev_per_atom, "eV");
  if (case_.dynamics.swaps.on()) {
    result.add_figure("element_swaps_tried", static_cast<double>(swaps_.tried()), "");
    result.add_figure("element_swaps_accepted", static_cast<double>(swaps_.accepted()), "");
  }
  if (relaxation_)
    result.add_check("relaxed_max_force", relaxation_->max_force, 0.0,
                     case_.dynamics.relax.force_tolerance_ev_per_angstrom, "eV/Angstrom");
}

void Simulation::write_files(const std::string& out) const {
  if (!electrons_.has_cells()) return;
  const auto kelvin = electrons_.temperatures_k(frame_.box);
  std::string problem;
  if (comm_.is_root()) {
    const auto& n = case_.dynamics.electrons.cells;
    std::string table = "x_angstrom,y_angstrom,z_angstrom,temperature_k\n";
    for (std::size_t c = 0; c < kelvin.size(); ++c) {
      const auto i = static_cast<int>(c);
      const int at[3] = {i / (n[1] * n[2]), i / n[2] % n[1], i % n[2]};
      for (int d = 0; d < 3; ++d) {
        const auto k = static_cast<std::size_t>(d);
        table += fmt::format("{:.9g},", frame_.box.lo[k] + (at[d] + 0.5) * frame_.box.length(d) / n[k]);
      }
      table += fmt::format("{:.9g}\n", kelvin[c]);
    }
    try {
      write_text_file(out + "/electrons.csv", table);
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  }
  comm_.fail_together(!problem.empty(), problem);
}

}  // namespace wafermark::tungsten
