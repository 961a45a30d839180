#include "tungsten_md/wafer/tile_step.hpp"

#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {

wse::Program tile_step(const TilePlan& plan, const TileItems& n, WaferSimulation* run) {
  const StepCode& code = plan.code;
  const WaferSettings& options = plan.settings;
  const bool lasting = options.list_reuse > 1, four = options.tiles_per_atom == 4;
  const auto new_lists = [run] { return run->makes_new_lists(); };
  const auto swaps_due = [run] { return run->swaps_due(); };
  const auto bath_acts = [run] { return run->bath_acts(); };

  wse::Program p;
  p.host([run] { run->fire_due_pkas(); });
  if (options.swap_every > 0) {
    p.compute("swaps", {{code.swap_partner, n.partners}}).when(swaps_due).does([run] { run->swap_atoms(); });
    p.pattern("swap_choices", plan.choices, 16).when(swaps_due);
    p.pattern("swapped_atoms", plan.swapped_atoms, 4).when(swaps_due);
  }
  if (plan.adaptive) {
    p.compute("time_step", {{code.time_step, n.atoms}});
    p.pattern("time_step_reduction", plan.least_time_step, 12).does([run] { run->choose_time_step(); });
  }
  p.host([run] { run->kick_and_drift(); });

  // The emulator finds neighbours and sums densities in one loop, before the phases that tiles take for it.
  p.pattern("multicast_positions", plan.positions, 8).does([run] {
    run->send_positions();
    run->watch_interactions(run->steps_done() + 1);
    run->sum_densities();
  });
  p.compute("distances", {{code.distance, n.candidates}}).when(new_lists);
  p.compute("neighbour_list", {{code.test, n.candidates}, {code.enter, n.entered}}).when(new_lists);
  if (lasting) p.compute("listed_distances", {{code.listed, n.listed}});
  p.compute("densities", {{code.density, n.neighbours}});
  if (four) p.pattern("joining_sums", plan.joined_densities, 4);
  p.compute("embedding", {{code.embedding, n.atoms}});

  p.pattern("multicast_slopes", plan.slopes, 0).does([run] { run->send_slopes(); });
  p.compute("forces", {{code.force, n.pairs}}).does([run] { run->sum_forces(); });
  if (options.force_symmetry) p.pattern("reverse_multicast", plan.partners_forces, 4);
  if (four) p.pattern("joining_sums", plan.joined_forces, 4);

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
