#include "tungsten_md/cluster/ghost_exchange.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

/// Packs the indices of the atoms within reach of one face, in ascending order.
struct ChooseNearFace {
  Vector3View x;
  int axis;
  bool upper;
  double face;
  Kokkos::View<int*, MemSpace> index;
  KOKKOS_FUNCTION void operator()(int i, int& sum, bool last) const {
    if (upper ? x(i, axis) < face : x(i, axis) >= face) return;
    if (last) index(sum) = i;
    ++sum;
  }
};

template <class ViewType>
void grow(ViewType& view, int size) {
  if (view.extent_int(0) < size) Kokkos::resize(view, size + size / 8);
}

}  // namespace

GhostExchange::GhostExchange(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                             double reach)
    : comm_(comm), subdomain_(subdomain), reach_(reach) {
  for (int axis = 0; axis < 3; ++axis) {
    const bool periodic = subdomain.box.periodic[axis];
    const int slices = subdomain.grid[axis], c = subdomain.coords[axis];
    if (slices == 1 && !periodic) continue;
    Stage s;
    s.leaving.axis = axis;
    s.below = c == 0 && !periodic ? MPI_PROC_NULL : ranks.neighbour(axis, -1);
    s.above = c + 1 == slices && !periodic ? MPI_PROC_NULL : ranks.neighbour(axis, 1);
    stages_.push_back(s);
  }
  fit(subdomain);
}

void GhostExchange::fit(const Subdomain& subdomain) {
  subdomain_ = subdomain;
  for (Stage& s : stages_) {
    const int axis = s.leaving.axis, slices = subdomain.grid[axis], c = subdomain.coords[axis];
    const double length = subdomain.box.length(axis);
    if (length / slices < reach_)
      throw InputError(fmt::format(
          "rank grid {} x {} x {}: a subdomain is {:.4g} Angstrom wide along {}, but ghosts "
          "reach {:.4g} Angstrom "
          "(cut-off + skin); use fewer ranks along this axis (run.rank_grid) or a larger box",
          subdomain.grid[0], subdomain.grid[1], subdomain.grid[2], length / slices, "xyz"[axis], reach_));
    s.leaving.lower_shift = c == 0 ? length : 0.0;
    s.leaving.upper_shift = c + 1 == slices ? -length : 0.0;
  }
}

int GhostExchange::choose(Kokkos::View<int*, MemSpace>& index, const Particles& p, int candidates, int axis,
                          bool upper) const {
  if (index.extent_int(0) < candidates)
    index = Kokkos::View<int*, MemSpace>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "ghost_source"),
                                         candidates);
  const double face = upper ? subdomain_.hi[axis] - reach_ : subdomain_.lo[axis] + reach_;
  int chosen = 0;
  Kokkos::parallel_scan("choose_near_face", over(candidates), ChooseNearFace{p.x, axis, upper, face, index},
                        chosen);
  return chosen;
}

template <class Record>
void GhostExchange::pass_on(const Stage& s, const Record& record) {
  const LeavingAtoms& out = s.leaving;
  if (is_own_neighbour(s)) {
    Kokkos::parallel_for(Record::copy, over(out.size()), CopyGhosts<Record>{out, s.first_ghost, record});
    return;
  }
  buffers_.make_room(Record::size * out.size(), Record::size * s.arriving());
  Kokkos::parallel_for(Record::pack, over(out.size()), PackGhosts<Record>{out, record, buffers_.out()});
  buffers_.exchange(comm_, {{s.below, Record::size * out.n_lower}, {s.above, Record::size * out.n_upper}},
                    {{s.above, Record::size * s.from_above}, {s.below, Record::size * s.from_below}});
  Kokkos::parallel_for(Record::unpack, over(s.arriving()),
                       UnpackGhosts<Record>{buffers_.in(), s.first_ghost, record});
}

void GhostExchange::select(Particles& p) {
  p.n_ghost = 0;
  for (Stage& s : stages_) {
    // Both directions of an axis offer the same atoms: those of this rank and of the axes before.
    const int candidates = p.n_local + p.n_ghost;
    LeavingAtoms& out = s.leaving;
    out.n_lower = s.below == MPI_PROC_NULL ? 0 : choose(out.lower, p, candidates, out.axis, false);
    out.n_upper = s.above == MPI_PROC_NULL ? 0 : choose(out.upper, p, candidates, out.axis, true);
    s.from_above = comm_.send_receive(out.n_lower, s.below, s.above);
    s.from_below = comm_.send_receive(out.n_upper, s.above, s.below);
    s.first_ghost = candidates;
    p.n_ghost += s.arriving();
    grow(p.x, p.n_local + p.n_ghost);
    grow(p.id, p.n_local + p.n_ghost);
    grow(p.type, p.n_local + p.n_ghost);
    pass_on(s, AtomRecord{p.x, p.id, p.type});
  }
}

void GhostExchange::update_positions(Particles& p) {
  for (const Stage& s : stages_) pass_on(s, PositionRecord{p.x});
}

template <class Real>
void GhostExchange::update_slopes(const Kokkos::View<Real*, MemSpace>& quads) {
  for (const Stage& s : stages_) pass_on(s, SlopeRecord<Real>{quads});
}
template void GhostExchange::update_slopes(const Kokkos::View<float*, MemSpace>&);
template void GhostExchange::update_slopes(const Kokkos::View<double*, MemSpace>&);

}  // namespace wafermark::tungsten
