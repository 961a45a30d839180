// Creation-relaxation: damage without cascades. Atoms are moved to random places, which makes Frenkel pairs,
// and all atoms are relaxed to a minimum of the energy, again and again (Derlet and Dudarev, Phys. Rev.
// Mater. 4 (2020) 023605). A step of this Dynamics is one such event; no time passes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tungsten_md/cluster/domain_of_run.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

class CreationRelaxation final : public Dynamics {
 public:
  /// A new run: the atoms of `start`, relaxed. `relaxing` is called before each step of a relaxation, on all
  /// ranks, and may throw to end it. Collective.
  CreationRelaxation(const Communicator& comm, const Case& what, const PotentialTables& potential,
                     const Configuration& start, RegionTimes& times,
                     const std::function<void()>& relaxing = {});
  /// Goes on from a state: bit for bit on the same rank grid, from the same positions on another. Collective.
  CreationRelaxation(const Communicator& comm, const Case& what, const PotentialTables& potential,
                     const SimulationState& state, RegionTimes& times);

  void step(bool with_energy) override;
  void evaluate_energy() override { energy_share_ = domain_->compute_forces_and_energy(); }
  Thermo thermo() const override;
  EnergyLedger ledger() const override { return ledger_; }
  /// Insertions and relaxations change it without end: there is no balance to hold.
  bool energy_is_kept() const override { return false; }

  std::int64_t atoms() const override { return domain_->atoms(); }
  std::int64_t steps_done() const override { return step_; }
  double time_ps() const override { return frame_.time_ps; }
  double timestep_ps() const override { return 0.0; }
  const std::vector<Recoil>& recoils() const override { return recoils_; }
  std::int64_t inserted_pairs() const override { return inserted_; }
  bool settled() const override { return step_ > 0; }
  bool is_relaxed() const override { return true; }
  bool momentum_is_kept() const override { return false; }
  Configuration configuration() const override;
  std::int64_t hot_atoms_at_border(double, double) const override { return 0; }
  std::string layout() const override;
  void report(Result& result, const RunLoop& loop) const override;

  SimulationState state() const;

 private:
  CreationRelaxation(const Communicator& comm, const Case& what, const Configuration& start);
  /// Moves one atom, chosen at random, to a place chosen at random. Throws std::runtime_error when none of
  /// many places lies far enough from all atoms. Collective.
  void insert(std::int64_t number);
  void relax_all();

  const Communicator& comm_;
  const Case& case_;
  Configuration frame_;  ///< box, elements and masses; no atoms
  std::unique_ptr<Domain> domain_;
  std::function<void()> relaxing_;
  EnergyVirial energy_share_;
  EnergyLedger ledger_;
  std::int64_t step_ = 0;
  std::int64_t inserted_ = 0;
  std::int64_t fire_steps_ = 0;
  std::int64_t not_relaxed_ = 0;  ///< relaxations that ended before their forces were small enough
  double largest_force_ = 0.0;    ///< that was left by any relaxation
  std::vector<Recoil> recoils_;   ///< none
};

}  // namespace wafermark::tungsten
