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

/// x, y, z, id, type
struct PackAtoms {
  static constexpr int size = 5;
  Kokkos::View<int*, MemSpace> index;
  Vector3View x;
  IdView id;
  TypeView type;
  int axis;
  double shift;
  BufferView buffer;
  KOKKOS_FUNCTION void operator()(int k) const {
    const int i = index(k);
    double* b = buffer.data() + static_cast<std::ptrdiff_t>(size) * k;
    for (int d = 0; d < 3; ++d) b[d] = x(i, d) + (d == axis ? shift : 0.0);
    b[3] = Kokkos::bit_cast<double>(id(i));  // every bit of an id, which a double would round
    b[4] = type(i);
  }
};
struct UnpackAtoms {
  BufferView buffer;
  int first;
  Vector3View x;
  IdView id;
  TypeView type;
  KOKKOS_FUNCTION void operator()(int k) const {
    const double* b = buffer.data() + static_cast<std::ptrdiff_t>(PackAtoms::size) * k;
    for (int d = 0; d < 3; ++d) x(first + k, d) = b[d];
    id(first + k) = Kokkos::bit_cast<std::int64_t>(b[3]);
    type(first + k) = static_cast<int>(b[4]);
  }
};

struct PackPositions {
  Kokkos::View<int*, MemSpace> index;
  Vector3View x;
  int axis;
  double shift;
  BufferView buffer;
  KOKKOS_FUNCTION void operator()(int k) const {
    for (int d = 0; d < 3; ++d) buffer(3 * k + d) = x(index(k), d) + (d == axis ? shift : 0.0);
  }
};
struct UnpackPositions {
  BufferView buffer;
  int first;
  Vector3View x;
  KOKKOS_FUNCTION void operator()(int k) const {
    for (int d = 0; d < 3; ++d) x(first + k, d) = buffer(3 * k + d);
  }
};

template <class Value>
struct PackValues {
  Kokkos::View<int*, MemSpace> index;
  Kokkos::View<Value*, MemSpace> value;
  BufferView buffer;
  KOKKOS_FUNCTION void operator()(int k) const { buffer(k) = static_cast<double>(value(index(k))); }
};
template <class Value>
struct UnpackValues {
  BufferView buffer;
  int first;
  Kokkos::View<Value*, MemSpace> value;
  KOKKOS_FUNCTION void operator()(int k) const { value(first + k) = static_cast<Value>(buffer(k)); }
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
    if (subdomain.box.length(axis) / slices < reach)
      throw InputError(
          fmt::format("rank grid {} x {} x {}: a subdomain is {:.4g} Angstrom wide along {}, but ghosts "
                      "reach {:.4g} Angstrom "
                      "(cut-off + skin); use fewer ranks along this axis (run.rank_grid) or a larger box",
                      subdomain.grid[0], subdomain.grid[1], subdomain.grid[2],
                      subdomain.box.length(axis) / slices, "xyz"[axis], reach));
    for (const bool upper : {false, true}) {
      const bool sends = periodic || (upper ? c + 1 < slices : c > 0);
      const bool receives = periodic || (upper ? c > 0 : c + 1 < slices);
      const bool crosses = upper ? c + 1 == slices : c == 0;
      Stage s{axis,
              sends ? ranks.neighbour(axis, upper ? 1 : -1) : MPI_PROC_NULL,
              receives ? ranks.neighbour(axis, upper ? -1 : 1) : MPI_PROC_NULL,
              upper,
              crosses ? (upper ? -1.0 : 1.0) * subdomain.box.length(axis) : 0.0,
              0,
              0,
              0,
              {}};
      stages_.push_back(s);
    }
  }
}

void GhostExchange::choose(Stage& s, const Particles& p, int candidates) {
  s.n_send = 0;
  if (s.to == MPI_PROC_NULL) return;
  if (s.index.extent_int(0) < candidates)
    s.index = Kokkos::View<int*, MemSpace>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "ghost_source"),
                                           candidates);
  const double face = s.upper ? subdomain_.hi[s.axis] - reach_ : subdomain_.lo[s.axis] + reach_;
  Kokkos::parallel_scan("choose_near_face", over(candidates),
                        ChooseNearFace{p.x, s.axis, s.upper, face, s.index}, s.n_send);
}

void GhostExchange::select(Particles& p) {
  p.n_ghost = 0;
  int candidates = 0;
  for (Stage& s : stages_) {
    // Both directions of an axis offer the same atoms: those of this rank and of the axes before.
    if (!s.upper) candidates = p.n_local + p.n_ghost;
    choose(s, p, candidates);
    s.n_recv = comm_.send_receive(s.n_send, s.to, s.from);
    grow(send_, PackAtoms::size * s.n_send);
    Kokkos::parallel_for("pack_atoms", over(s.n_send),
                         PackAtoms{s.index, p.x, p.id, p.type, s.axis, s.shift, send_});
    exchange(comm_, send_, PackAtoms::size * s.n_send, s.to, receive_, PackAtoms::size * s.n_recv, s.from);
    s.first_ghost = p.n_local + p.n_ghost;
    p.n_ghost += s.n_recv;
    grow(p.x, p.n_local + p.n_ghost);
    grow(p.id, p.n_local + p.n_ghost);
    grow(p.type, p.n_local + p.n_ghost);
    Kokkos::parallel_for("unpack_atoms", over(s.n_recv),
                         UnpackAtoms{receive_, s.first_ghost, p.x, p.id, p.type});
  }
}

void GhostExchange::update_positions(Particles& p) {
  for (Stage& s : stages_) {
    Kokkos::parallel_for("pack_positions", over(s.n_send),
                         PackPositions{s.index, p.x, s.axis, s.shift, send_});
    exchange(comm_, send_, 3 * s.n_send, s.to, receive_, 3 * s.n_recv, s.from);
    Kokkos::parallel_for("unpack_positions", over(s.n_recv), UnpackPositions{receive_, s.first_ghost, p.x});
  }
}

template <class Value>
void GhostExchange::update_values(const Kokkos::View<Value*, MemSpace>& value) {
  for (Stage& s : stages_) {
    Kokkos::parallel_for("pack_values", over(s.n_send), PackValues<Value>{s.index, value, send_});
    exchange(comm_, send_, s.n_send, s.to, receive_, s.n_recv, s.from);
    Kokkos::parallel_for("unpack_values", over(s.n_recv),
                         UnpackValues<Value>{receive_, s.first_ghost, value});
  }
}
template void GhostExchange::update_values(const Kokkos::View<float*, MemSpace>&);
template void GhostExchange::update_values(const Kokkos::View<double*, MemSpace>&);

}  // namespace wafermark::tungsten
