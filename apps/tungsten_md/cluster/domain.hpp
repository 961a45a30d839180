// One rank's part of the crystal: its atoms, the ghosts around them, the Verlet list and the forces.
// What moves the atoms (simulation.hpp, fire.hpp) needs only this.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/communicator.hpp"
#include "common/region_timer.hpp"
#include "tungsten_md/cluster/displacement_watch.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/cluster/lost_atoms.hpp"
#include "tungsten_md/cluster/migration.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

struct DomainSettings {
  std::string precision = "double";       ///< "double" or "mixed"
  double skin_angstrom = 0.5;             ///< list radius = cut-off + skin
  std::array<int, 3> rank_grid{0, 0, 0};  ///< 0: chosen
  std::optional<ListKind> list;           ///< best_list_kind() when empty
  int lanes_per_atom = 0;                 ///< that share a row of a full list; 0: as lanes_for() says
};

/// Where atoms were, and in which box, when their list was built: what a continued run builds it from.
struct ListReference {
  Box box;
  std::vector<Vec3> x;  ///< of this rank's atoms, in their order
};

class Domain {
 public:
  /// Places any distribution of atoms over ranks. Throws InputError when the box is narrower than two
  /// cut-offs along a periodic axis, when a subdomain is narrower than the list radius, or an atom's type is
  /// unknown.
  Domain(const Communicator& comm, const Configuration& start, const PotentialTables& potential,
         const DomainSettings& settings, RegionTimes& times);
  /// Continues a checkpointed run on the same rank grid with the same lists: `start` holds this rank's atoms
  /// in their order. Bit-identical from there on.
  Domain(const Communicator& comm, const Configuration& start, const ListReference& reference,
         const PotentialTables& potential, const DomainSettings& settings, RegionTimes& times);

  /// After positions changed by at most `displacement` since the list was built: refreshes ghosts, or atoms'
  /// owners, ghosts and list when that is more than half the skin; says whether. Throws InputError when it is
  /// beyond the list's radius or not finite: the time step is too long. `before`: the displacement a step
  /// ago, at least. Collective.
  bool update(double displacement, double before);
  /// The same for lists that are made at fixed steps, which this is one of.
  void rebuild_after(double displacement, double before);
  /// v += f/m dt/2, x += v dt. The host does not wait for it.
  void kick_and_drift(double dt);
  /// The same, and how all ranks' atoms move. Collective.
  Motion measured_kick_and_drift(double dt);
  /// Positions of the ghosts, after atoms moved. Collective.
  void refresh_ghosts();
  /// New owners, order, ghosts and list. Collective.
  void rebuild();
  /// The box and all in it become longer by a factor for each axis, seen from the box's lower corner. The
  /// list stays as long as it holds all pairs. Collective. Throws InputError when the box becomes too narrow.
  void stretch(const Vec3& factor);

  /// This rank's atoms that left an open box for good, by their indices.
  std::vector<int> lost() const { return find_lost(p_, list_, subdomain_.box); }
  /// Goes on without these local atoms: new owners, order, ghosts and list. Collective.
  void remove(const std::vector<int>& atoms);

  /// Up to so many steps of `dt` by one kernel, of a rank that is alone (many_steps.hpp); the host waits for
  /// it. When it ended because a list is due, call update() with the displacement that it tells.
  StepsMade make_steps(int steps, double dt);
  /// One step of `dt`, which nobody measures, of a rank that is alone: its kernels are one graph
  /// (step_graph.hpp). The host does not wait for it.
  void make_step_of_graph(double dt);

  void compute_forces();
  EnergyVirial compute_forces_and_energy();  ///< this rank's share

  Particles& particles() { return p_; }
  const Particles& particles() const { return p_; }
  const VerletList& list() const { return list_; }
  const Subdomain& subdomain() const { return subdomain_; }
  const Box& box() const { return subdomain_.box; }
  const Communicator& comm() const { return comm_; }
  std::int64_t atoms() const { return atoms_; }  ///< over all ranks
  std::int64_t rebuilds() const { return rebuilds_; }
  /// Lists that were made a step or more after an atom had moved half the skin: pairs may have been missed.
  std::int64_t late_lists() const { return late_lists_; }
  /// How far atoms may move before pairs are missed, in the frame of a box that may have shrunk since.
  double half_skin() const { return 0.5 * (settings_.skin_angstrom - (1.0 - shrunk_) * list_.radius); }
  const DomainSettings& settings() const { return settings_; }
  double cutoff() const { return force_field_->cutoff(); }

  /// This rank's atoms in their order, and the positions at the last list build, for checkpoints.
  Atoms atoms_on_host() const { return to_host(p_); }
  ListReference reference_on_host() const;
  std::vector<Vec3> forces_on_host() const;
  void set_forces(const std::vector<Vec3>& forces);  ///< of the local atoms, in their order
  /// Device bytes held by this rank per local atom, by what.
  struct Memory {
    double particles, list, force_field;
  };
  Memory bytes() const;

 private:
  Domain(const Communicator& comm, const Configuration& start, const PotentialTables& potential,
         const DomainSettings& settings, RegionTimes& times, std::nullptr_t);
  void build_list();
  StepOfRank step_of(double dt) const;
  void keep_unstretched();
  /// The box alone, and what the list's age is measured by.
  void move_faces(const Box& box);
  /// Throws InputError for a displacement that no list could have borne.
  void require_near(double displacement, const char* cause) const;

  const Communicator& comm_;
  RegionTimes& times_;
  DomainSettings settings_;
  std::int64_t atoms_ = 0, rebuilds_ = 0, late_lists_ = 0;
  std::unique_ptr<ForceField> force_field_;
  CartesianGrid ranks_;
  Subdomain subdomain_;
  GhostExchange ghosts_;
  Migration migration_;
  ListWorkspace workspace_;
  VerletList list_;
  Particles p_;
  std::optional<ManyStepsMemory> many_steps_;
  std::optional<StepGraph> graph_;  ///< of this list
  double graph_dt_ = 0.0;
  bool sites_moved_ = false;  ///< the local atoms' sites have moved with them
  Box list_box_;              ///< when the list was built
  Vector3View unstretched_;   ///< positions then, where the box has changed since
  double shrunk_ = 1.0;       ///< the least ratio of an edge to what it was then, at most 1
};

}  // namespace wafermark::tungsten
