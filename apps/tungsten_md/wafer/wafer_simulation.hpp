// A molecular-dynamics run on the emulated wafer, one atom per tile (Santos et al., SC24). Begin reading at
// tile_step.cpp, the tile program.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "common/region_timer.hpp"
#include "tungsten_md/dynamics/adaptive_time_step.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"
#include "tungsten_md/wafer/relaxation.hpp"
#include "tungsten_md/wafer/tile_block.hpp"
#include "tungsten_md/wafer/tile_plan.hpp"
#include "tungsten_md/wafer/tile_step.hpp"
#include "wse_emulator/band.hpp"
#include "wse_emulator/executor.hpp"

namespace wafermark::tungsten {

class WaferSimulation final : public Dynamics {
 public:
  /// A new run of the case that `plan` was made for. Every rank passes the whole of `start`, atoms in the
  /// order of their ids. Collective, as all calls.
  WaferSimulation(const Communicator& comm, const Case& what, TilePlan plan, const Configuration& start,
                  RegionTimes& times);
  ~WaferSimulation() override;

  /// Moves the atoms downhill as the case asks, then gives them their starting velocities; before anything
  /// else. `before_step` is called before each step, on all ranks, and may throw to end it.
  void relax(const std::function<void()>& before_step = {});
  /// Goes on from what another target, or a machine with other tiles, has done: all atoms on every rank. The
  /// energy's balance begins anew, since the targets' tables differ.
  void carry_on(const CarriedState& state);

  void step(bool with_energy) override;
  void evaluate_energy() override;
  Thermo thermo() const override;
  EnergyLedger ledger() const override { return ledger_; }
  std::int64_t atoms() const override { return static_cast<std::int64_t>(start_.atoms.size()); }
  std::int64_t steps_done() const override { return step_; }
  double time_ps() const override { return time_ps_; }
  double timestep_ps() const override { return time_step_.current(); }
  const std::vector<Recoil>& recoils() const override { return recoils_; }
  bool momentum_is_kept() const override;
  Configuration configuration() const override;
  std::int64_t hot_atoms_at_border(double width_angstrom, double energy_ev) const override;
  std::string layout() const override;
  Kind kind() const override { return Kind::emulated; }
  void report(Result& result, const RunLoop& loop) const override;
  void write_files(const std::string& out) const override;

  /// Checkpoint of the machine: every tile's atom and clock. It goes on bit for bit on any number of ranks.
  /// `former_becomes`: the new name of the file that is replaced; `run`: what the run is, its own business.
  void save(const std::string& path, const std::string& former_becomes, const std::string& deck,
            const nlohmann::json& run) const;
  /// Takes the state of a checkpoint that the same case wrote. Throws InputError when it does not fit, or is
  /// damaged: the state is then as it was.
  void resume(const std::string& path);

  /// How the relaxation ended, where there was one.
  const std::optional<RelaxationRecord>& relaxation() const { return relaxation_; }

  // For tests and studies.
  const TilePlan& plan() const { return plan_; }
  const TileBlock& block() const { return *block_; }
  const wse::Executor& executor() const { return executor_; }
  const wse::PhaseRecord& record() const { return executor_.record(); }
  std::int64_t clock_cycles() const { return executor_.clocks().latest(); }
  /// Of the seconds that the machine took for this piece of the run. Collective.
  wse::Band time_band() const;
  /// Forces, energies and positions of all atoms in the order of their ids, on all ranks.
  struct AllAtoms {
    Configuration configuration;
    std::vector<Vec3> forces;
    std::vector<double> energy_ev, virial_ev;
    std::vector<int> neighbours;
  };
  AllAtoms all_atoms() const;
  /// Interactions within the cut-off that the tiles did not know of, each counted from both its atoms.
  struct Missed {
    std::int64_t interactions = 0;  ///< over all steps
    std::int64_t first_step = -1;   ///< whose positions had one; -1: none
  };
  /// Of the whole run, looked for whenever positions were sent. Collective.
  Missed missed() const;
  /// Steps so far that were longer than a limit found in them would have been (wafer.time_step_every_steps).
  std::int64_t steps_too_long() const { return steps_too_long_; }
  std::int64_t time_step_limits() const { return time_step_limits_; }  ///< reductions so far
  /// Of the present positions, by a search over all atoms that knows nothing of tiles. Collective.
  std::int64_t missed_now() const;

 private:
  friend wse::Program tile_step(const TilePlan& plan, const TileItems& items, WaferSimulation* run);
  friend void add_forces(wse::Program& program, const TilePlan& plan, const TileItems& items,
                         WaferSimulation* run);
  friend struct Relaxation;

  // What happens in the phases of a step of relaxation (relaxation.cpp).
  void reduce_products();
  void move_downhill();
  float inverse_mass(const TileAtom& a) const;
  double largest_force() const;
  void give_starting_velocities();

  // What happens to the atoms in the phases of a step.
  void fire_due_pkas();
  bool swaps_due() const;
  void swap_atoms();
  bool tables_swapped() const { return tables_swapped_; }
  void send_types() { block_->multicast_types(*plan_.types); }
  StepLimits<float> step_limits() const;
  /// The reduction that limits the time step is due: every so many steps, and when a recoil has just begun.
  bool time_step_limit_due() const;
  void limit_time_step();
  /// Within the limit that holds; watches that it is no longer than one found in this step would be.
  void choose_time_step();
  void kick_and_drift();
  void send_positions();
  bool makes_new_lists() const { return new_lists_ || plan_.settings.list_reuse == 1; }
  void sum_densities();
  void send_slopes();
  void sum_forces();
  void kick();
  void slow();
  bool bath_acts() const;
  void bathe();

  /// Ids of the atoms that have left the box, ascending, on all ranks.
  std::vector<std::int64_t> lost_atoms() const;
  /// Ends the run, or goes on without them, as the case says.
  void settle_lost_atoms();
  /// Forgets all atoms but those for which `stays`; tiles that had another are empty.
  void keep_atoms(const std::function<bool(std::int64_t id)>& stays);
  void watch_interactions(std::int64_t step);
  /// Sums in the order of the tiles of the grid, so that any number of ranks gives the same bits.
  double ordered_sum(const std::vector<double>& of_tiles) const;
  Thermo measure_all(const AllAtoms& all) const;

  const Communicator& comm_;
  const Case& case_;
  RegionTimes& times_;
  Configuration start_;  ///< all atoms that are left, as they began
  TilePlan plan_;
  wse::Blocks blocks_;  ///< of the machine's tiles
  std::unique_ptr<TileBlock> block_;
  TileItems items_;
  wse::Executor executor_;
  AdaptiveTimeStep time_step_;
  std::vector<float> stopping_energy_;
  std::vector<std::vector<float>> stopping_power_;  ///< of each element
  std::int64_t step_ = 0;
  double time_ps_ = 0.0;
  EnergyLedger ledger_;
  Thermo thermo_;
  std::size_t pkas_fired_ = 0;
  std::vector<Recoil> recoils_;

  std::unique_ptr<Relaxation> relaxing_;  ///< while it lasts
  std::optional<RelaxationRecord> relaxation_;

  double time_step_limit_ = 0.0;  ///< ps; 0: none yet
  bool recoil_fired_ = false;     ///< in this step
  std::int64_t time_step_limits_ = 0, steps_too_long_ = 0;
  std::int64_t lost_atoms_ = 0;
  Missed missed_;  ///< on this rank's tiles

  bool tables_swapped_ = false;  ///< atoms of two elements have just changed tiles
  bool with_energy_ = false;     ///< the present step's
  bool new_lists_ = false;
  std::int64_t swaps_ = 0, first_cycle_ = 0;
};

/// What a checkpoint of WaferSimulation::save() holds, for another target: each rank a part of the atoms.
/// Throws InputError for what is none. Collective.
CarriedState read_wafer_checkpoint(const Communicator& comm, const std::string& path);

}  // namespace wafermark::tungsten
