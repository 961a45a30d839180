#include "tungsten_md/cluster/ghost_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/errors.hpp"
#include "common/pending_messages.hpp"
#include "tungsten_md/cluster/kept_array.hpp"

namespace wafermark::tungsten {
namespace {

/// Fills GhostRoutes from the chosen atoms: first what leaves, in the order of the messages, then the ghosts.
struct ListRoutes {
  Kokkos::View<int*, MemSpace> chosen;
  int room[ghost_sides];  ///< where each side begins in `chosen`
  int n_leaving;
  int leaving_side[ghost_sides], leaving_end[ghost_sides];  ///< part of a message by part
  int ghost_end[ghost_sides];                               ///< of each side
  int arrival[ghost_sides];  ///< of each side's first ghost among all arrivals; -1: own images
  GhostRoutes routes;

  KOKKOS_FUNCTION void operator()(int k) const {
    if (k < n_leaving) {
      int part = 0;
      while (k >= leaving_end[part]) ++part;
      const int side = leaving_side[part];
      routes.leaving(k) = chosen(room[side] + k - (part > 0 ? leaving_end[part - 1] : 0));
      routes.leaving_side(k) = static_cast<std::uint8_t>(side);
      return;
    }
    const int g = k - n_leaving;
    int side = 1;
    while (g >= ghost_end[side]) ++side;
    const int at = g - ghost_end[side - 1];
    routes.origin(g) = arrival[side] < 0 ? chosen(room[side] + at) : -1 - (arrival[side] + at);
    routes.origin_side(g) = static_cast<std::uint8_t>(side);
  }
};

}  // namespace

GhostStage::GhostStage(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                       double reach, AxisRange axes)
    : comm_(comm), subdomain_(subdomain), reach_(reach), axes_(axes) {
  const auto neighbour = [&](int rank) -> Neighbour& {
    for (Neighbour& n : neighbours_)
      if (n.rank == rank) return n;
    return neighbours_.emplace_back(Neighbour{rank, {}, {}});
  };
  for (int side = first_side(axes.begin); side < first_side(axes.end); ++side) {
    bool exists = true, leaves = true, arrives = true;
    std::array<int, 3> to = subdomain.coords, from = subdomain.coords;
    for (int d = 0; d < axes.end; ++d) {
      const int offset = owner_offset(side, d);
      if (d < axes.begin) {  // both ends have the ghosts of earlier stages on the same sides
        exists = exists && has_neighbour(d, offset);
        continue;
      }
      leaves = leaves && has_neighbour(d, -offset);
      arrives = arrives && has_neighbour(d, offset);
      to[d] -= offset;
      from[d] += offset;
    }
    if (!exists) continue;
    if (leaves && ranks.rank_of(to) == comm.rank()) {
      own_sides_.push_back(side);
      continue;
    }
    if (leaves) neighbour(ranks.rank_of(to)).leaving.push_back(side);
    if (arrives) neighbour(ranks.rank_of(from)).arriving.push_back(side);
  }
  fit(subdomain);
}

bool GhostStage::has_neighbour(int axis, int direction) const {
  const int slice = subdomain_.coords[axis] + direction;
  return direction == 0 || subdomain_.box.periodic[axis] || (slice >= 0 && slice < subdomain_.grid[axis]);
}

void GhostStage::fit(const Subdomain& subdomain) {
  subdomain_ = subdomain;
  for (int axis = axes_.begin; axis < axes_.end; ++axis) {
    const int slices = subdomain.grid[axis], c = subdomain.coords[axis];
    if (slices == 1 && !subdomain.box.periodic[axis]) continue;
    const double length = subdomain.box.length(axis);
    if (length / slices < reach_)
      throw InputError(fmt::format(
          "rank grid {} x {} x {}: a subdomain is {:.4g} Angstrom wide along {}, but ghosts "
          "reach {:.4g} Angstrom "
          "(cut-off + skin); use fewer ranks along this axis (run.rank_grid) or a larger box",
          subdomain.grid[0], subdomain.grid[1], subdomain.grid[2], length / slices, "xyz"[axis], reach_));
    for (int side = 0; side < ghost_sides; ++side) {
      const int digit = side_digit(side, axis);
      double& shift = shift_.of[side][axis];
      shift = 0.0;
      if (digit == slice_above && c == 0) shift = length;
      if (digit == slice_below && c + 1 == slices) shift = -length;
    }
  }
}

void GhostStage::choose(const Particles& p, const SideCounts& before) {
  leaving_ = {};
  if (neighbours_.empty() && own_sides_.empty()) return;
  constexpr double nowhere = std::numeric_limits<double>::infinity();
  ChooseGhosts choice{p.x, p.n_local, {}, {}, {}, chosen_, {}};
  for (int side = 1; side < ghost_sides; ++side)
    choice.ghost_end[side] = choice.ghost_end[side - 1] + before.of[side];
  for (int d = 0; d < 3; ++d) {
    const bool crossed = d >= axes_.begin && d < axes_.end;
    choice.near_lower[d] = crossed && has_neighbour(d, -1) ? subdomain_.lo[d] + reach_ : -nowhere;
    choice.near_upper[d] = crossed && has_neighbour(d, 1) ? subdomain_.hi[d] - reach_ : nowhere;
  }
  for (;;) {
    std::copy(room_.begin(), room_.end(), choice.begin);
    choice.index = chosen_;
    SideCounts sum;
    Kokkos::parallel_scan("choose_ghosts", over(p.n_local + p.n_ghost), choice, sum);
    bool fits = true;
    for (int s = 0; s < ghost_sides; ++s) {
      leaving_[s] = sum.of[s];
      fits = fits && leaving_[s] <= room_[s + 1] - room_[s];
    }
    if (fits) return;
    for (int s = 0; s < ghost_sides; ++s)
      room_[s + 1] = room_[s] + std::max(room_[s + 1] - room_[s], leaving_[s] + leaving_[s] / 8);
    make_room(chosen_, room_[ghost_sides], "chosen_ghosts");
  }
}

void GhostStage::count_arrivals() {
  std::vector<int> out, in;
  for (const Neighbour& n : neighbours_) {
    for (const int side : n.leaving) out.push_back(leaving_[side]);
    in.resize(in.size() + n.arriving.size());
  }
  PendingMessages messages(comm_);
  int* to = in.data();
  for (const Neighbour& n : neighbours_) {
    messages.receive(to, static_cast<std::int64_t>(n.arriving.size()), n.rank);
    to += n.arriving.size();
  }
  const int* from = out.data();
  for (const Neighbour& n : neighbours_) {
    messages.send(from, static_cast<std::int64_t>(n.leaving.size()), n.rank);
    from += n.leaving.size();
  }
  if (!neighbours_.empty()) messages.wait();
  arriving_ = {};
  for (const int side : own_sides_) arriving_[side] = leaving_[side];
  const int* next = in.data();
  for (const Neighbour& n : neighbours_)
    for (const int side : n.arriving) arriving_[side] = *next++;
}

void GhostStage::list_routes() {
  ListRoutes list{chosen_, {}, 0, {}, {}, {}, {}, {}};
  std::copy_n(room_.begin(), ghost_sides, list.room);
  std::fill_n(list.arrival, ghost_sides, -1);
  messages_.clear();
  int part = 0, arrived = 0;
  for (const Neighbour& n : neighbours_) {
    MessagePair m{n.rank, 0, 0};
    for (const int side : n.leaving) {
      m.out += leaving_[side];
      list.leaving_side[part] = side;
      list.leaving_end[part++] = list.n_leaving + m.out;
    }
    for (const int side : n.arriving) {
      list.arrival[side] = arrived + m.in;
      m.in += arriving_[side];
    }
    list.n_leaving += m.out;
    arrived += m.in;
    messages_.push_back(m);
  }
  for (int side = 1; side < ghost_sides; ++side)
    list.ghost_end[side] = list.ghost_end[side - 1] + arriving_[side];
  n_leaving_ = list.n_leaving;
  n_arriving_ = arrived;
  n_ghost_ = list.ghost_end[ghost_sides - 1];
  make_room(routes_.leaving, n_leaving_, "leaving");
  make_room(routes_.leaving_side, n_leaving_, "leaving_side");
  make_room(routes_.origin, n_ghost_, "ghost_origin");
  make_room(routes_.origin_side, n_ghost_, "ghost_origin_side");
  list.routes = routes_;
  if (n_leaving_ + n_ghost_ > 0) Kokkos::parallel_for("list_ghost_routes", over(n_leaving_ + n_ghost_), list);
}

template <class Record>
void GhostStage::pass_on(const Record& record) {
  if (!neighbours_.empty()) {
    buffers_.make_room(Record::size * n_leaving_, Record::size * n_arriving_);
    if (n_leaving_ > 0)
      Kokkos::parallel_for(Record::pack, over(n_leaving_),
                           PackGhosts<Record>{routes_, shift_, record, buffers_.out()});
    buffers_.exchange(comm_, messages_, Record::size);
  }
  if (n_ghost_ > 0)
    Kokkos::parallel_for(Record::fill, over(n_ghost_),
                         FillGhosts<Record>{routes_, shift_, record, buffers_.in(), first_ghost_});
}

void GhostStage::select(Particles& p, SideCounts& before) {
  choose(p, before);
  count_arrivals();
  list_routes();
  for (int side = 1; side < ghost_sides; ++side) before.of[side] += arriving_[side];
  first_ghost_ = p.n_local + p.n_ghost;
  p.n_ghost += n_ghost_;
  grow(p.x, p.n_local + p.n_ghost);
  grow(p.id, p.n_local + p.n_ghost);
  grow(p.type, p.n_local + p.n_ghost + 1);
  pass_on(AtomRecord{p.x, p.id, p.type});
}

template void GhostStage::pass_on(const PositionRecord&);
template void GhostStage::pass_on(const SlopeRecord<float>&);
template void GhostStage::pass_on(const SlopeRecord<double>&);

}  // namespace wafermark::tungsten
