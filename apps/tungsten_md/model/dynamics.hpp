// A molecular-dynamics run, whatever machine it runs on: what the `run` command drives and records.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/results/result.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Sums over all ranks. T = 2 E_kin / (3 (N - 1) k); P = (2 E_kin + sum of virial's diagonal) / (3 V).
struct Thermo {
  std::int64_t step = 0;
  double time_ps = 0, timestep_ps = 0;
  double kinetic_ev = 0, potential_ev = 0;
  double temperature_k = 0;
  double pressure_gpa = 0;  ///< of the box's volume; without meaning where an axis is open
  std::optional<Vec3>
      pressure_axes_gpa;  ///< along x, y, z; none on a target that sums the virial's trace only
  std::optional<double> electron_temperature_k;  ///< mean over cells, where electrons have them
  Vec3 box_angstrom{};                           ///< edges
  std::array<double, 3> momentum{};              ///< amu Angstrom / ps
  double thermal_momentum = 0;                   ///< sum of m |v|, the scale for `momentum`

  double total_ev() const { return kinetic_ev + potential_ev; }
};

/// Sums over the run in eV. total = initial + PKA - stopping + electrons + thermostat + barostat - lost; what
/// is left over is the integration error.
struct EnergyLedger {
  double initial_ev = 0.0;     ///< kinetic + potential at the start
  double pka_ev = 0.0;         ///< given to PKAs
  double stopping_ev = 0.0;    ///< lost to electrons
  double electrons_ev = 0.0;   ///< taken from electrons by friction and noise
  double thermostat_ev = 0.0;  ///< taken from the heat bath
  double barostat_ev = 0.0;    ///< work on the atoms by changes of the box
  double lost_ev = 0.0;        ///< taken along by atoms that left an open box

  double expected_ev() const {
    return initial_ev + pka_ev - stopping_ev + electrons_ev + thermostat_ev + barostat_ev - lost_ev;
  }
};

struct Recoil {
  std::int64_t atom = 0;  ///< id
  Vec3 position{};        ///< where it was hit, Angstrom
  Vec3 direction{};
  double energy_gained_ev = 0.0;
};

/// What a run carries on when it changes targets: the atoms and what has happened to them. The rest, lists,
/// clocks and random numbers, a target makes anew or draws by step and atom.
struct CarriedState {
  Configuration configuration;
  double timestep_ps = 0.0;
  EnergyLedger ledger;
  std::int64_t pkas_fired = 0;
  std::int64_t lost_atoms = 0;
  std::vector<Recoil> recoils;
};

/// What the loop over steps took on this machine.
struct RunLoop {
  std::int64_t steps = 0;
  double seconds = 0.0;
  std::optional<double> joules;
  std::string energy_note;
};

/// Implemented by cluster/simulation.hpp and wafer/wafer_simulation.hpp. All calls are collective.
class Dynamics {
 public:
  virtual ~Dynamics() = default;

  /// One velocity-Verlet step with everything that acts beside the forces. `with_energy`: thermo() follows.
  virtual void step(bool with_energy) = 0;
  /// Energy and virial of the present positions, for thermo() after a step without.
  virtual void evaluate_energy() = 0;
  /// At the end of the last step with energy (or at the start).
  virtual Thermo thermo() const = 0;
  /// Summed over ranks.
  virtual EnergyLedger ledger() const = 0;
  double energy_error_ev(const Thermo& now) const { return now.total_ev() - ledger().expected_ev(); }

  virtual std::int64_t atoms() const = 0;
  virtual std::int64_t steps_done() const = 0;
  virtual double time_ps() const = 0;
  virtual double timestep_ps() const = 0;
  virtual const std::vector<Recoil>& recoils() const = 0;
  /// At the end of the last step a recoil (or an insertion) of the deck's [dose] had come to rest.
  virtual bool settled() const { return false; }
  /// Atoms that were moved to random places (creation-relaxation).
  virtual std::int64_t inserted_pairs() const { return 0; }
  /// The ledger holds all that changes the energy.
  virtual bool energy_is_kept() const { return true; }
  /// The atoms are at rest where their energy has a minimum: what it is above the crystal's, defects store.
  virtual bool is_relaxed() const { return false; }
  /// Nothing outside the crystal pushes or cools it.
  virtual bool momentum_is_kept() const = 0;
  /// This rank's atoms.
  virtual Configuration configuration() const = 0;
  /// Atoms above `energy_ev` within `width` of the box's periodic faces, over all ranks.
  virtual std::int64_t hot_atoms_at_border(double width_angstrom, double energy_ev) const = 0;

  /// One line: what runs where.
  virtual std::string layout() const = 0;
  /// Where its energies and atoms come from: this machine or an emulated one.
  virtual Kind kind() const { return Kind::measured; }
  /// Figures, checks and sections that belong to this target.
  virtual void report(Result& result, const RunLoop& loop) const = 0;
  /// Files beside result.json that only this target has, in the folder OUT.
  virtual void write_files(const std::string& out) const { (void)out; }

  /// One step or more without energy, up to so many, at least one, that nobody looks at before their end:
  /// steps_done() tells how many. Where several at once are no faster, one.
  virtual void run_ahead(std::int64_t steps) {
    (void)steps;
    step(false);
  }
};

}  // namespace wafermark::tungsten
