#include "tungsten_md/cluster/domain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "tungsten_md/cluster/integrate.hpp"
#include "tungsten_md/cluster/memory_estimate.hpp"
#include "tungsten_md/cluster/row_lanes.hpp"
#include "tungsten_md/kernels/barostat.hpp"

namespace wafermark::tungsten {
namespace {

const Box& checked(const Box& box, double cutoff) {
  for (int d = 0; d < 3; ++d)
    if (box.periodic[d] && box.length(d) < 2.0 * cutoff)
      throw InputError(
          fmt::format("box: {:.6g} Angstrom long along {}; expected at least two cut-offs, {:.6g} Angstrom, "
                      "on a periodic axis",
                      box.length(d), "xyz"[d], 2.0 * cutoff));
  return box;
}

/// Indices, and the values of the largest record (eight an atom, with room to grow), are int.
constexpr std::int64_t most_sites_of_a_rank = std::numeric_limits<int>::max() / 9;

void require_countable(const Communicator& comm, double sites) {
  comm.throw_together(!(sites <= static_cast<double>(most_sites_of_a_rank)),
                      fmt::format("{:.4g} atoms and ghosts on a rank, expected at most {}: use more ranks",
                                  sites, most_sites_of_a_rank));
}

/// Copies host vectors over the first rows of a device view.
void set_vectors(const Vector3View& view, const std::vector<Vec3>& values) {
  const Vector3View part(Kokkos::view_alloc(Kokkos::WithoutInitializing, view.label()), values.size());
  const auto host = Kokkos::create_mirror_view(part);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t d = 0; d < 3; ++d) host(i, d) = values[i][d];
  Kokkos::deep_copy(part, host);
  Kokkos::deep_copy(first_of(view, static_cast<int>(values.size())), part);
}

std::vector<Vec3> vectors_on_host(const Vector3View& view, int n) {
  const auto host = first_on_host(view, n);
  std::vector<Vec3> result(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    for (int d = 0; d < 3; ++d) result[static_cast<std::size_t>(i)][static_cast<std::size_t>(d)] = host(i, d);
  return result;
}

struct StretchAtoms {
  Vector3View from, to;
  double corner[3], factor[3];
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) to(i, d) = stretched(from(i, d), corner[d], factor[d]);
  }
};

Vec3 edges(const Box& box) { return {box.length(0), box.length(1), box.length(2)}; }

}  // namespace

Domain::Domain(const Communicator& comm, const Configuration& start, const PotentialTables& potential,
               const DomainSettings& settings, RegionTimes& times, std::nullptr_t)
    : comm_(comm),
      times_(times),
      settings_(settings),
      atoms_(comm.sum(static_cast<std::int64_t>(start.atoms.size()))),
      force_field_(make_force_field(potential, settings.precision)),
      ranks_(comm, settings.rank_grid, edges(start.box)),
      subdomain_(checked(start.box, force_field_->cutoff()), ranks_),
      ghosts_(comm, ranks_, subdomain_, force_field_->reach() + settings.skin_angstrom),
      migration_(comm, ranks_) {
  list_.kind = settings.list.value_or(best_list_kind());
  list_.pack = settings.precision == "mixed" ? Lanes<native_lanes<float, ExecSpace>>::width
                                             : Lanes<native_lanes<double, ExecSpace>>::width;
  list_.radius = force_field_->cutoff() + settings.skin_angstrom;
  if (!suits_machine(list_.kind))
    throw InputError(
        fmt::format("run.neighbour_list = half: expected one thread a rank on a CPU, found {} threads",
                    ExecSpace().concurrency()));
  if (atoms_ == 0) throw InputError("the starting state holds no atoms");
  RunShape shape;
  shape.atoms = static_cast<double>(atoms_);
  shape.box = start.box;
  shape.grid = subdomain_.grid;
  shape.list_radius = list_.radius;
  shape.triplets = triplets_of_run(potential, settings.skin_angstrom);
  shape.mixed = settings.precision == "mixed";
  shape.list = list_.kind;
  shape.kept_of_a_pair = kept_of_a_pair(potential);
  require_countable(comm, shape.atoms_of_a_rank() + shape.ghosts_of_a_rank());
  require_memory(comm, domain_bytes(shape), fmt::format("{} atoms on {} ranks", atoms_, comm.size()));
  const int types = static_cast<int>(potential.elements.size());
  for (const int t : start.atoms.type)
    if (t < 0 || t >= types)
      throw InputError(
          fmt::format("atom type {}: expected 1 ... {}, the elements of the potential", t + 1, types));
}

Domain::Domain(const Communicator& comm, const Configuration& start, const PotentialTables& potential,
               const DomainSettings& settings, RegionTimes& times)
    : Domain(comm, start, potential, settings, times, nullptr) {
  const Atoms own = distribute(comm_, ranks_, subdomain_, start.atoms);
  require_countable(comm_, static_cast<double>(own.size()));
  p_ = to_device(own, start.masses);
  rebuild();
}

Domain::Domain(const Communicator& comm, const Configuration& start, const ListReference& reference,
               const PotentialTables& potential, const DomainSettings& settings, RegionTimes& times)
    : Domain(comm, start, potential, settings, times, nullptr) {
  Atoms at_reference = start.atoms;
  at_reference.x = reference.x;
  p_ = to_device(at_reference, start.masses);
  move_faces(reference.box);
  build_list();  // the stored order is sorted already, so the lists come out as they were
  if (reference.box != start.box) {
    keep_unstretched();
    move_faces(start.box);
  }
  set_vectors(p_.x, start.atoms.x);
  refresh_ghosts();
}

void Domain::require_near(double displacement, const char* cause) const {
  if (!(displacement < list_.radius))
    throw InputError(
        fmt::format("atoms lost: one moved {:.3g} Angstrom between two neighbour lists, expected well below "
                    "{:.3g}; {}",
                    displacement, half_skin(), cause));
}

bool Domain::update(double displacement, double before) {
  require_near(displacement, "the time step is too long for the forces (run.timestep_ps, adaptive_timestep)");
  if (displacement <= half_skin()) {
    refresh_ghosts();
    return false;
  }
  if (before > half_skin()) ++late_lists_;
  rebuild();
  return true;
}

void Domain::rebuild_after(double displacement, double before) {
  require_near(displacement, "lists are too far apart (run.list_every_steps) or the time step is too long");
  if (before > half_skin()) ++late_lists_;
  rebuild();
}

void Domain::kick_and_drift(double dt) {
  const Region region(times_, "integrate");
  tungsten::kick_and_drift(p_, force_field_->placer(), dt);
  sites_moved_ = true;
}

Motion Domain::measured_kick_and_drift(double dt) {
  const Region region(times_, "integrate");
  sites_moved_ = true;
  return tungsten::measured_kick_and_drift(comm_, p_, force_field_->placer(), list_, dt);
}

void Domain::refresh_ghosts() {
  const Region region(times_, "ghosts");
  if (!sites_moved_) place_local_sites(p_, force_field_->placer());
  sites_moved_ = false;
  ghosts_.update_positions(p_, force_field_->placer());
}

void Domain::rebuild() {
  {
    const Region region(times_, "migrate");
    migration_.bring_home(subdomain_, p_, atoms_);
  }
  {
    const Region region(times_, "sort");
    workspace_.sorter.sort(CellGrid(subdomain_, list_.radius, p_), p_);
  }
  build_list();
  ++rebuilds_;
}

void Domain::keep_unstretched() {
  if (unstretched_.is_allocated()) return;
  unstretched_ = Vector3View(Kokkos::view_alloc(Kokkos::WithoutInitializing, "unstretched"), p_.n_local);
  Kokkos::deep_copy(unstretched_, first_of(list_.x_at_build, p_.n_local));
}

void Domain::move_faces(const Box& box) {
  subdomain_ = Subdomain(checked(box, force_field_->cutoff()), ranks_);
  ghosts_.fit(subdomain_);
  if (!unstretched_.is_allocated()) return;
  // From where they were, not from where the last change took them: a continued run does it in one.
  StretchAtoms atoms{unstretched_, list_.x_at_build, {}, {}};
  shrunk_ = 1.0;
  for (int d = 0; d < 3; ++d) {
    atoms.corner[d] = box.lo[d];
    atoms.factor[d] = box.length(d) / list_box_.length(d);
    shrunk_ = std::min(shrunk_, atoms.factor[d]);
  }
  Kokkos::parallel_for("stretch", over(p_.n_local), atoms);
}

void Domain::stretch(const Vec3& factor) {
  {
    const Region region(times_, "stretch");
    Box box = subdomain_.box;
    StretchAtoms atoms{p_.x, p_.x, {}, {}};
    for (int d = 0; d < 3; ++d) {
      atoms.corner[d] = box.lo[d];
      atoms.factor[d] = factor[d];
      box.hi[d] = box.lo[d] + factor[d] * box.length(d);
    }
    keep_unstretched();
    Kokkos::parallel_for("stretch", over(p_.n_local), atoms);
    move_faces(box);
  }
  // Measured before forces are computed: a list that is too short now has not been used yet.
  if (std::sqrt(comm_.max(max_displacement_squared(list_, p_))) > half_skin())
    rebuild();
  else
    refresh_ghosts();
}

void Domain::remove(const std::vector<int>& atoms) {
  migration_.remove(atoms, p_);
  atoms_ -= comm_.sum(static_cast<std::int64_t>(atoms.size()));
  rebuild();
}

void Domain::build_list() {
  const Region region(times_, "neighbour list");
  graph_.reset();
  list_box_ = subdomain_.box;
  unstretched_ = {};
  shrunk_ = 1.0;
  ghosts_.select(p_);
  if (list_.kind == ListKind::full)
    list_.lanes = settings_.lanes_per_atom > 0 ? settings_.lanes_per_atom
                                               : lanes_for(atoms_ / comm_.size(), threads_at_once());
  const CellGrid grid(subdomain_, list_.radius, p_);
  list_.build(grid, p_, workspace_);
  if (p_.f.extent_int(0) < p_.n_local)
    p_.f = Vector3View(Kokkos::view_alloc(Kokkos::WithoutInitializing, "f"), p_.v.extent(0));
  force_field_->prepare(p_, list_, grid);
  sites_moved_ = false;
}

StepOfRank Domain::step_of(double dt) const {
  const SitePlacer sites = force_field_->placer();
  return {{{p_, sites, dt}, list_.x_at_build}, ghosts_.images(PositionRecord{p_.x, sites}), {p_, dt}};
}

StepsMade Domain::make_steps(int steps, double dt) {
  const Region region(times_, "many steps");
  if (!many_steps_) many_steps_.emplace();
  const StepsMade made =
      force_field_->make_steps(step_of(dt), {steps, half_skin(), *many_steps_}, list_, ghosts_);
  sites_moved_ = made.displacement_squared > 0.0;
  return made;
}

void Domain::make_step_of_graph(double dt) {
  const Region region(times_, "step");
  if (!graph_ || graph_dt_ != dt) graph_ = force_field_->graph_of(step_of(dt), list_, ghosts_);
  graph_dt_ = dt;
  const KernelScope scope;
  graph_->submit();
  Kokkos::Profiling::markEvent("graph of a step");  // Kokkos tells tools of no kernel in a graph
}

void Domain::compute_forces() {
  const Region region(times_, "force");
  force_field_->compute(p_, list_, ghosts_);
}

EnergyVirial Domain::compute_forces_and_energy() {
  const Region region(times_, "force");
  return force_field_->compute_with_energy(p_, list_, ghosts_);
}

ListReference Domain::reference_on_host() const {
  const Vector3View& x = unstretched_.is_allocated() ? unstretched_ : list_.x_at_build;
  return {list_box_, vectors_on_host(x, p_.n_local)};
}
std::vector<Vec3> Domain::forces_on_host() const { return vectors_on_host(p_.f, p_.n_local); }

void Domain::set_forces(const std::vector<Vec3>& forces) { set_vectors(p_.f, forces); }

Domain::Memory Domain::bytes() const {
  const double n = std::max(1, p_.n_local);
  const auto size = [](const auto& view) {
    return static_cast<double>(view.span() * sizeof(typename std::decay_t<decltype(view)>::value_type));
  };
  return {(size(p_.x) + size(p_.v) + size(p_.f) + size(p_.id) + size(p_.type) +
           static_cast<double>(workspace_.bytes())) /
              n,
          (size(list_.entry) + size(list_.owner) + size(list_.first) + size(list_.count) +
           size(list_.x_at_build)) /
              n,
          static_cast<double>(force_field_->bytes()) / n};
}

}  // namespace wafermark::tungsten
