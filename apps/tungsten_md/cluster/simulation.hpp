// A molecular-dynamics run on MPI ranks: Simulation::step() is the algorithm, on one screen. Begin reading
// there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "tungsten_md/cluster/displacement_watch.hpp"
#include "tungsten_md/cluster/domain_of_run.hpp"
#include "tungsten_md/cluster/element_swaps.hpp"
#include "tungsten_md/cluster/relax_box.hpp"
#include "tungsten_md/dynamics/adaptive_time_step.hpp"
#include "tungsten_md/dynamics/barostat.hpp"
#include "tungsten_md/dynamics/dose_protocol.hpp"
#include "tungsten_md/dynamics/electronic_stopping.hpp"
#include "tungsten_md/dynamics/electrons.hpp"
#include "tungsten_md/dynamics/langevin_thermostat.hpp"
#include "tungsten_md/dynamics/nose_hoover_thermostat.hpp"
#include "tungsten_md/dynamics/pka.hpp"
#include "tungsten_md/dynamics/thermo.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

class Simulation final : public Dynamics {
 public:
  /// A new run: places the atoms, draws velocities, relaxes first where the case says so; `relaxing` is
  /// called before each step of that, on all ranks, and may throw to end it. Collective.
  Simulation(const Communicator& comm, const Case& what, const PotentialTables& potential,
             const Configuration& start, RegionTimes& times, const std::function<void()>& relaxing = {});
  /// Goes on from a state: bit for bit on the same rank grid, from the same positions on another. Collective.
  Simulation(const Communicator& comm, const Case& what, const PotentialTables& potential,
             const SimulationState& state, RegionTimes& times);

  void step(bool with_energy) override;
  /// As run.launch says: one step, those up to the next look at how far atoms have moved, each as a graph, or
  /// by one kernel those that the list serves and one more.
  void run_ahead(std::int64_t steps) override;
  void evaluate_energy() override { energy_share_ = domain_->compute_forces_and_energy(); }
  Thermo thermo() const override;
  EnergyLedger ledger() const override;

  std::int64_t atoms() const override { return domain_->atoms(); }
  std::int64_t steps_done() const override { return step_; }
  double time_ps() const override { return time_ps_; }
  double timestep_ps() const override { return time_step_.current(); }
  const std::vector<Recoil>& recoils() const override { return recoils_; }
  bool settled() const override { return dose_.settled(); }
  bool is_relaxed() const override {
    return relaxation_ && step_ == frame_.step && !(case_.dynamics.temperature.draw_k > 0.0);
  }
  bool momentum_is_kept() const override;
  Configuration configuration() const override;
  std::int64_t hot_atoms_at_border(double width_angstrom, double energy_ev) const override;
  std::string layout() const override;
  void report(Result& result, const RunLoop& loop) const override;

  Domain& domain() { return *domain_; }
  /// The energy's balance begins anew: what came before was reckoned with other tables. Collective.
  void balance_anew() { ledger_.initial_ev += thermo().total_ev() - ledger().expected_ev(); }
  /// How the relaxation before the run ended, where the case asked for one.
  const std::optional<BoxRelaxationResult>& relaxation() const { return relaxation_; }
  SimulationState state() const;
  /// Heat that a Nose-Hoover chain gave, and what it holds less: the error of its integration. Collective.
  const Electrons& electrons() const { return electrons_; }
  /// What the cells of electrons gained, less what the atoms gave them. Collective.
  double electron_balance_ev() const {
    const EnergyLedger l = ledger();
    return electrons_.gained_ev() - l.stopping_ev + l.electrons_ev;
  }
  void write_files(const std::string& out) const override;
  double chain_balance_ev() const { return chain_.held_ev() + ledger().thermostat_ev; }

 private:
  Simulation(const Communicator& comm, const Case& what, const Configuration& start);
  void fire_due_pkas();
  void fire_recoil_of_dose();
  /// From now on the border lies as far as can be from this place.
  void centre_on(const Vec3& recoil);
  void bathe(double dt);
  void apply_chain(double dt);
  /// The box changes as the pressure of the present energies says; forces and energies are then those in it.
  void follow_pressure();
  /// Exchanges of elements; what they raise the energy by comes from the heat bath.
  void swap_elements();
  /// Half a kick and the drift; then ghosts or lists are as the new positions need them.
  void move_atoms(double dt);
  /// Whether this step asks all ranks how far their atoms have moved.
  bool measures_motion() const;
  void settle_lost_atoms();
  /// One line about the lost atom with the lowest id; `lost`: of this rank. Collective.
  std::string text_of(const std::vector<int>& lost) const;
  void run_ahead_by_graph(std::int64_t steps);
  void run_ahead_by_one_kernel(std::int64_t steps);
  void count_step(double dt) {
    time_ps_ += dt;
    ++step_;
  }
  /// The step that many_steps.hpp left for the host to end, with a new list.
  void end_step_with_list(const StepsMade& made, double dt);
  std::int64_t late_lists() const { return late_lists_before_ + domain_->late_lists(); }

  const Communicator& comm_;
  const Case& case_;
  RegionTimes* times_ = nullptr;
  Configuration frame_;  ///< box as it is now, elements and masses; no atoms
  std::unique_ptr<Domain> domain_;
  AdaptiveTimeStep time_step_;
  ElectronicStopping stopping_;
  LangevinThermostat langevin_;
  NoseHooverThermostat chain_;
  Barostat barostat_;
  Electrons electrons_;
  ElementSwaps swaps_;
  DisplacementWatch watch_;
  DoseProtocol dose_;
  LangevinThermostat rest_bath_;  ///< of all atoms, between two recoils of a dose
  std::optional<Vec3> last_recoil_;
  std::int64_t step_ = 0;
  double time_ps_ = 0.0;
  EnergyVirial energy_share_;
  EnergyLedger ledger_;                                  ///< but for the heat of each step
  RunningSum to_stopping_, from_electrons_, from_bath_;  ///< of this rank's atoms
  std::size_t pkas_fired_ = 0;
  std::int64_t lost_atoms_ = 0;         ///< over all ranks
  std::int64_t late_lists_before_ = 0;  ///< up to the checkpoint
  std::int64_t looked_at_ = -1;         ///< the domain's rebuilds when lost atoms were last looked for
  std::int64_t steps_ahead_ = 0, launches_ahead_ = 0;  ///< by graphs or kernels of many steps
  bool teams_meet_ = true;                             ///< else the latter are not tried again
  std::vector<Recoil> recoils_;
  std::optional<BoxRelaxationResult> relaxation_;
};

}  // namespace wafermark::tungsten
