#include "tungsten_md/wafer/tile_step.hpp"

#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {
namespace {

/// Which candidates act, and the densities that they lay at the atom. The emulator has done both before.
void add_densities(wse::Program& p, const TilePlan& plan, const TileItems& n,
                   const std::function<bool()>& new_lists) {
  const StepCode& code = plan.code;
  const bool lasting = plan.settings.list_reuse > 1, fused = plan.settings.fused_density;
  p.compute("distances", {{code.distance, n.candidates}}).when(new_lists);
  if (lasting || !fused)
    p.compute("neighbour_list", {{code.test, n.candidates}, {code.enter, n.entered}}).when(new_lists);
  if (plan.settings.untested_lists) {
    p.compute("densities", {{code.untested_density, n.neighbours}});
  } else if (fused) {
    // Those that act get a list of their own, for the force loop.
    const wse::Work found = lasting ? wse::Work(code.listed, n.listed) : wse::Work(code.test, n.candidates);
    p.compute("densities", {{code.density_in_test, n.neighbours}, found, {code.enter, n.neighbours}});
  } else {
    if (lasting) p.compute("listed_distances", {{code.listed, n.listed}});
    p.compute("densities", {{code.density, n.neighbours}});
  }
}

wse::Phase& exchange(wse::Program& p, const TilePlan& plan, const char* name,
                     std::shared_ptr<const wse::Pattern> pattern, int first_color) {
  return p.pattern(name, std::move(pattern), first_color)
      .receives(plan.settings.blocking_receives ? wse::Receiving::blocking : wse::Receiving::tasks);
}

/// Of a thick sample: from layer to layer, as far as atoms interact; then each layer by itself.
void between_layers(wse::Program& p, const TilePlan& plan, const char* name,
                    const std::shared_ptr<wse::LayerShift>& shift) {
  for (int on = 0; on < plan.layout.layers_each_side; ++on)
    exchange(p, plan, name, shift, on % 2 == 0 ? 20 : 4);
}

}  // namespace

void add_forces(wse::Program& p, const TilePlan& plan, const TileItems& n, WaferSimulation* run) {
  const StepCode& code = plan.code;
  const WaferSettings& options = plan.settings;
  const bool four = options.tiles_per_atom == 4;
  between_layers(p, plan, "positions_between_layers", plan.layers_positions);
  exchange(p, plan, "multicast_positions", plan.positions, 8).does([run] {
    run->send_positions();
    run->watch_interactions(run->steps_done() + 1);
    run->sum_densities();
  });
  add_densities(p, plan, n, [run] { return run->makes_new_lists(); });
  if (four) exchange(p, plan, "joining_sums", plan.joined_densities, 4);
  p.compute("embedding", {{code.embedding, n.atoms}});

  between_layers(p, plan, "slopes_between_layers", plan.layers_slopes);
  exchange(p, plan, "multicast_slopes", plan.slopes, 0).does([run] { run->send_slopes(); });
  p.compute("forces", {{code.force, n.pairs}}).does([run] { run->sum_forces(); });
  if (options.force_symmetry) exchange(p, plan, "reverse_multicast", plan.partners_forces, 4);
  if (four) exchange(p, plan, "joining_sums", plan.joined_forces, 4);
}

wse::Program tile_step(const TilePlan& plan, const TileItems& n, WaferSimulation* run) {
  const StepCode& code = plan.code;
  const WaferSettings& options = plan.settings;
  const bool alloy = plan.tables.elements.size() > 1;
  const auto swaps_due = [run] { return run->swaps_due(); };
  const auto limit_due = [run] { return run->time_step_limit_due(); };
  const auto bath_acts = [run] { return run->bath_acts(); };

  wse::Program p;
  p.host([run] { run->fire_due_pkas(); });
  if (options.swap_every > 0) {
    p.compute("swaps", {{code.swap_partner, n.partners}}).when(swaps_due).does([run] { run->swap_atoms(); });
    exchange(p, plan, "swap_choices", plan.choices, 16).when(swaps_due);
    exchange(p, plan, "swapped_atoms", plan.swapped_atoms, 4).when(swaps_due);
    if (alloy) {
      exchange(p, plan, "swapped_tables", plan.swapped_tables, 20).when([run] {
        return run->tables_swapped();
      });
      exchange(p, plan, "multicast_types", plan.types, 0).when(swaps_due).does([run] { run->send_types(); });
    }
  }
  if (plan.adaptive) {
    p.compute("time_step", {{code.time_step, n.atoms}}).when(limit_due);
    const int first_color = plan.layout.layers() > 1 ? 8 : 12;
    exchange(p, plan, "time_step_reduction", plan.least_time_step, first_color).when(limit_due).does([run] {
      run->limit_time_step();
    });
    p.host([run] { run->choose_time_step(); });
  }
  p.host([run] { run->kick_and_drift(); });

  add_forces(p, plan, n, run);

  p.compute("integration", {{code.integration, n.atoms}}).does([run] { run->kick(); });
  if (plan.stopping)
    p.compute("stopping", {{code.slow, n.fast}, {code.not_slow, n.slow}}).does([run] { run->slow(); });
  if (plan.heat_bath)
    p.compute("thermostat", {{code.bath, n.bathed}, {code.no_bath, n.unbathed}}).when(bath_acts).does([run] {
      run->bathe();
    });
  return p;
}

}  // namespace wafermark::tungsten
