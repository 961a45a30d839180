#include "tungsten_md/cluster/migration.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

struct Wrap {
  Vector3View x;
  double lo[3], hi[3];
  bool periodic[3];
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) {
      if (!periodic[d]) continue;
      const double length = hi[d] - lo[d];
      double& c = x(i, d);
      if (c < lo[d] || c >= hi[d]) c -= length * Kokkos::floor((c - lo[d]) / length);
      // Rounding: a tiny negative distance wraps onto the upper face itself.
      if (c >= hi[d]) c = lo[d];
      if (c < lo[d]) c = lo[d];
    }
  }
};

/// Which way an atom goes along one axis: -1, 0, +1.
struct Route {
  double lo, hi, box_lo, box_length;
  int slices, slice;
  bool periodic;
  KOKKOS_FUNCTION int direction(double x) const {
    if (slices == 1 || (x >= lo && x < hi)) return 0;
    if (!periodic) {
      if (x < lo) return slice > 0 ? -1 : 0;
      return slice + 1 < slices ? 1 : 0;
    }
    // Positions are wrapped, so the shorter way round the ring is the one taken.
    const int target = static_cast<int>((x - box_lo) / box_length * slices);
    int ahead = (target - slice) % slices;
    if (ahead < 0) ahead += slices;
    if (ahead == 0) return x < lo ? -1 : 1;  // rounding at a face
    return 2 * ahead <= slices ? 1 : -1;
  }
};

struct ChooseLeavers {
  Vector3View x;
  Route route;
  int axis, direction;
  Kokkos::View<int*, MemSpace> index;
  KOKKOS_FUNCTION void operator()(int i, int& sum, bool last) const {
    if (route.direction(x(i, axis)) != direction) return;
    if (last) index(sum) = i;
    ++sum;
  }
};

/// x, v, id, type
constexpr int record_size = 8;

struct PackLeavers {
  Particles p;
  Kokkos::View<int*, MemSpace> index;
  BufferView buffer;
  KOKKOS_FUNCTION void operator()(int k) const {
    const int i = index(k);
    double* b = buffer.data() + static_cast<std::ptrdiff_t>(record_size) * k;
    for (int d = 0; d < 3; ++d) {
      b[d] = p.x(i, d);
      b[3 + d] = p.v(i, d);
    }
    b[6] = Kokkos::bit_cast<double>(p.id(i));  // every bit of an id, which a double would round
    b[7] = p.type(i);
    p.type(i) = -1;
  }
};
struct UnpackArrivals {
  Particles p;
  BufferView buffer;
  KOKKOS_FUNCTION void operator()(int k) const {
    const double* b = buffer.data() + static_cast<std::ptrdiff_t>(record_size) * k;
    const int i = p.n_local + k;
    for (int d = 0; d < 3; ++d) {
      p.x(i, d) = b[d];
      p.v(i, d) = b[3 + d];
    }
    p.id(i) = Kokkos::bit_cast<std::int64_t>(b[6]);
    p.type(i) = static_cast<int>(b[7]);
  }
};

/// Holes among the atoms that stay, and stayers beyond the new end, each in ascending order.
struct FindHoles {
  TypeView type;
  Kokkos::View<int*, MemSpace> index;
  KOKKOS_FUNCTION void operator()(int i, int& sum, bool last) const {
    if (type(i) >= 0) return;
    if (last) index(sum) = i;
    ++sum;
  }
};
struct FindStayers {
  TypeView type;
  int first;
  Kokkos::View<int*, MemSpace> index;
  KOKKOS_FUNCTION void operator()(int k, int& sum, bool last) const {
    if (type(first + k) < 0) return;
    if (last) index(sum) = first + k;
    ++sum;
  }
};
struct FillHoles {
  Particles p;
  Kokkos::View<int*, MemSpace> hole, stayer;
  KOKKOS_FUNCTION void operator()(int k) const {
    const int to = hole(k), from = stayer(k);
    for (int d = 0; d < 3; ++d) {
      p.x(to, d) = p.x(from, d);
      p.v(to, d) = p.v(from, d);
    }
    p.id(to) = p.id(from);
    p.type(to) = p.type(from);
  }
};

struct CountNotFinite {
  Vector3View x;
  KOKKOS_FUNCTION void operator()(int i, int& bad) const {
    for (int d = 0; d < 3; ++d)
      if (!(Kokkos::abs(x(i, d)) < 1e30)) ++bad;
  }
};

void reserve(Particles& p, int n) {
  if (p.x.extent_int(0) >= n && p.v.extent_int(0) >= n) return;
  const int room = n + n / 8;
  Kokkos::resize(p.x, room);
  Kokkos::resize(p.v, room);
  Kokkos::resize(p.id, room);
  Kokkos::resize(p.type, room);
}

}  // namespace

void remove_marked(Particles& p, int marked) {
  const int stay = p.n_local - marked;
  Kokkos::View<int*, MemSpace> hole("hole", marked), stayer("stayer", marked);
  int holes = 0;
  Kokkos::parallel_scan("find_holes", over(stay), FindHoles{p.type, hole}, holes);
  Kokkos::parallel_scan("find_stayers", over(marked), FindStayers{p.type, stay, stayer});
  Kokkos::parallel_for("fill_holes", over(holes), FillHoles{p, hole, stayer});
  p.n_local = stay;
}

namespace {

/// One pass along one axis; returns how many atoms this rank sent.
int hand_over(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& s, int axis,
              Particles& p) {
  const bool periodic = s.box.periodic[axis];
  const Route route{s.lo[axis],   s.hi[axis],     s.box.lo[axis], s.box.length(axis),
                    s.grid[axis], s.coords[axis], periodic};
  int sent = 0;
  MpiBuffers buffers[2];
  int arrivals[2] = {0, 0};
  for (const int direction : {-1, 1}) {
    const int c = s.coords[axis], slices = s.grid[axis];
    const bool sends = periodic || (direction < 0 ? c > 0 : c + 1 < slices);
    const bool receives = periodic || (direction < 0 ? c + 1 < slices : c > 0);
    const int to = sends ? ranks.neighbour(axis, direction) : MPI_PROC_NULL;
    const int from = receives ? ranks.neighbour(axis, -direction) : MPI_PROC_NULL;
    Kokkos::View<int*, MemSpace> index(Kokkos::view_alloc(Kokkos::WithoutInitializing, "leavers"), p.n_local);
    int leavers = 0;
    Kokkos::parallel_scan("choose_leavers", over(p.n_local),
                          ChooseLeavers{p.x, route, axis, direction, index}, leavers);
    MpiBuffers& buffer = buffers[direction > 0];
    const int n = arrivals[direction > 0] = comm.send_receive(leavers, to, from);
    buffer.make_room(record_size * leavers, record_size * n);
    Kokkos::parallel_for("pack_leavers", over(leavers), PackLeavers{p, index, buffer.out()});
    buffer.exchange(comm, {{to, record_size * leavers}}, {{from, record_size * n}});
    // Leavers are gone before the other direction is looked at, or a ring of two would send them twice.
    if (leavers > 0) remove_marked(p, leavers);
    sent += leavers;
  }
  for (int k = 0; k < 2; ++k) {
    reserve(p, p.n_local + arrivals[k]);
    Kokkos::parallel_for("unpack_arrivals", over(arrivals[k]), UnpackArrivals{p, buffers[k].in()});
    p.n_local += arrivals[k];
  }
  return sent;
}

}  // namespace

void migrate(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& s, Particles& p,
             std::int64_t expected) {
  p.n_ghost = 0;
  int not_finite = 0;
  Kokkos::parallel_reduce("count_not_finite", over(p.n_local), CountNotFinite{p.x}, not_finite);
  Wrap wrap{p.x, {}, {}, {}};
  for (int d = 0; d < 3; ++d) {
    wrap.lo[d] = s.box.lo[d];
    wrap.hi[d] = s.box.hi[d];
    wrap.periodic[d] = s.box.periodic[d];
  }
  if (not_finite == 0) Kokkos::parallel_for("wrap", over(p.n_local), wrap);
  for (;;) {
    int sent = 0;
    for (int axis = 0; axis < 3 && not_finite == 0; ++axis)
      if (s.grid[axis] > 1) sent += hand_over(comm, ranks, s, axis, p);
    const auto totals = comm.sum(std::vector<std::int64_t>{sent, p.n_local, not_finite});
    if (totals[2] > 0 || totals[1] != expected)
      throw InputError(
          fmt::format("atoms lost: {} of {} left, {} coordinates are not finite; the time step is too long "
                      "for the forces",
                      totals[1], expected, totals[2]));
    if (totals[0] == 0) return;
  }
}

Atoms distribute(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& s, Atoms atoms) {
  struct Record {
    double x[3], v[3];
    std::int64_t id, type;
  };
  static_assert(sizeof(Record) == 8 * sizeof(double));
  std::vector<std::vector<char>> parts(static_cast<std::size_t>(comm.size()));
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    Record r{};
    std::array<int, 3> slice{};
    const Vec3 x = s.box.wrap(atoms.x[i]);
    for (int d = 0; d < 3; ++d) {
      slice[d] = s.slice_of(d, x[d]);
      r.x[d] = x[d];
      r.v[d] = atoms.v[i][d];
    }
    r.id = atoms.id[i];
    r.type = atoms.type[i];
    auto& part = parts[static_cast<std::size_t>(ranks.rank_of(slice))];
    const char* bytes = reinterpret_cast<const char*>(&r);
    part.insert(part.end(), bytes, bytes + sizeof r);
  }
  atoms = {};
  for (const auto& part : comm.all_to_all(parts)) {
    for (std::size_t b = 0; b < part.size(); b += sizeof(Record)) {
      Record r;
      std::copy_n(part.data() + b, sizeof r, reinterpret_cast<char*>(&r));
      atoms.id.push_back(r.id);
      atoms.type.push_back(static_cast<int>(r.type));
      atoms.x.push_back({r.x[0], r.x[1], r.x[2]});
      atoms.v.push_back({r.v[0], r.v[1], r.v[2]});
    }
  }
  return atoms;
}

}  // namespace wafermark::tungsten
