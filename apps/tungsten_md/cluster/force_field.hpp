// Forces on the local atoms of a rank, whatever the potential's precision and the shape of the list.
#pragma once

#include <memory>

#include "tungsten_md/cluster/ghost_exchange.hpp"
#include "tungsten_md/cluster/pair_sums.hpp"
#include "tungsten_md/cluster/step_launches.hpp"
#include "tungsten_md/cluster/verlet_list.hpp"
#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

class ForceField {
 public:
  virtual ~ForceField() = default;
  /// Call after ghosts or the box of occupied space changed (a new list). Places the sites of all atoms.
  /// `grid` holds all atoms in cells of at least the list's radius.
  virtual void prepare(const Particles& p, const VerletList& list, const CellGrid& grid) = 0;
  /// For whoever moves atoms from then on: their sites move with them.
  virtual SitePlacer placer() const = 0;
  /// Sets p.f of the local atoms. Sites must be current, those of ghosts too; `ghosts` carries embedding
  /// slopes, where there are any.
  void compute(Particles& p, const VerletList& list, GhostExchange& ghosts) { run(p, list, ghosts, nullptr); }
  /// The same, and returns energy and virial.
  EnergyVirial compute_with_energy(Particles& p, const VerletList& list, GhostExchange& ghosts) {
    PairSums sums;
    run(p, list, ghosts, &sums);
    return energy_and_virial(sums);
  }
  /// Many steps by one kernel, or one as a graph, of a rank that is alone and has a full list. Not of every
  /// potential (require_launch in run_ahead.hpp).
  virtual StepsMade make_steps(const StepOfRank& step, const StepsAsked& asked, const VerletList& list,
                               const GhostExchange& ghosts);
  virtual StepGraph graph_of(const StepOfRank& step, const VerletList& list, const GhostExchange& ghosts);
  virtual double cutoff() const = 0;  ///< of the list's pairs
  /// How far from an atom the atoms lie that its force hangs on.
  virtual double reach() const { return cutoff(); }
  virtual std::size_t bytes() const = 0;  ///< device memory held

 private:
  /// Sets p.f; `sums` grow by energy and virial, where they are given.
  virtual void run(Particles& p, const VerletList& list, GhostExchange& ghosts, PairSums* sums) = 0;
};

/// The closed form where the potential has one, triplets where it has those, tables otherwise. `precision`:
/// "double" or "mixed"; throws InputError for another.
std::unique_ptr<ForceField> make_force_field(const PotentialTables& potential, const std::string& precision);

/// half with one thread per rank on a CPU, full otherwise.
ListKind best_list_kind();
/// Whether lists of this kind can be used here: half ones where they are the best, full ones everywhere.
bool suits_machine(ListKind kind);

}  // namespace wafermark::tungsten
