#include "tungsten_md/cluster/migration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "common/errors.hpp"
#include "common/pending_messages.hpp"
#include "tungsten_md/cluster/ghost_sides.hpp"
#include "tungsten_md/cluster/kept_array.hpp"

namespace wafermark::tungsten {
namespace {

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

/// Of all axes.
struct Routes {
  Route along[3];
  explicit Routes(const Subdomain& s) {
    for (int d = 0; d < 3; ++d)
      along[d] = {s.lo[d], s.hi[d], s.box.lo[d], s.box.length(d), s.grid[d], s.coords[d], s.box.periodic[d]};
  }
  KOKKOS_FUNCTION bool leaves(const double* x) const {
    for (int d = 0; d < 3; ++d)
      if (along[d].direction(x[d]) != 0) return true;
    return false;
  }
};

struct Found {
  int leavers = 0, not_finite = 0;  ///< atoms, coordinates
  KOKKOS_FUNCTION Found& operator+=(const Found& o) {
    leavers += o.leavers;
    not_finite += o.not_finite;
    return *this;
  }
};

/// Wraps positions along periodic axes, and lists the atoms that are not at home, in ascending order.
struct WrapAndChoose {
  Vector3View x;
  Routes routes;
  double lo[3], hi[3];
  bool periodic[3];
  Kokkos::View<int*, MemSpace> index;

  WrapAndChoose(const Subdomain& s, const Vector3View& positions, const Kokkos::View<int*, MemSpace>& chosen)
      : x(positions), routes(s), index(chosen) {
    for (int d = 0; d < 3; ++d) {
      lo[d] = s.box.lo[d];
      hi[d] = s.box.hi[d];
      periodic[d] = s.box.periodic[d];
    }
  }

  KOKKOS_FUNCTION void operator()(int i, Found& sum, bool last) const {
    int not_finite = 0;
    for (int d = 0; d < 3; ++d)
      if (!(Kokkos::abs(x(i, d)) < 1e30)) ++not_finite;
    sum.not_finite += not_finite;
    if (not_finite > 0) return;
    double at[3];
    for (int d = 0; d < 3; ++d) {
      at[d] = wrapped(x(i, d), d);
      if (last) x(i, d) = at[d];
    }
    if (!routes.leaves(at)) return;
    if (last) index(sum.leavers) = i;
    ++sum.leavers;
  }
  KOKKOS_FUNCTION double wrapped(double c, int d) const {
    if (!periodic[d]) return c;
    const double length = hi[d] - lo[d];
    if (c < lo[d] || c >= hi[d]) c -= length * Kokkos::floor((c - lo[d]) / length);
    // Rounding: a tiny negative distance wraps onto the upper face itself.
    return c < lo[d] || c >= hi[d] ? lo[d] : c;
  }
};

struct PackLeavers {
  Particles p;
  Kokkos::View<int*, MemSpace> index;
  Kokkos::View<MovingAtom*, SharedSpace> moving;
  Kokkos::View<int*, SharedSpace> place;
  KOKKOS_FUNCTION void operator()(int k) const {
    const int i = index(k);
    MovingAtom& atom = moving(k);
    for (int d = 0; d < 3; ++d) {
      atom.x[d] = p.x(i, d);
      atom.v[d] = p.v(i, d);
    }
    atom.id = p.id(i);
    atom.type = p.type(i);
    place(k) = i;
  }
};

/// The first of the places take the atoms that arrive, the others atoms that stand elsewhere.
struct SettleAtoms {
  Particles p;
  Kokkos::View<MovingAtom*, SharedSpace> moving;
  Kokkos::View<int*, SharedSpace> place;  ///< [places] to, then [places - arrivals] from
  int arrivals, places;
  KOKKOS_FUNCTION void operator()(int k) const {
    const int to = place(k);
    if (k < arrivals) {
      const MovingAtom& atom = moving(k);
      for (int d = 0; d < 3; ++d) {
        p.x(to, d) = atom.x[d];
        p.v(to, d) = atom.v[d];
      }
      p.id(to) = atom.id;
      p.type(to) = static_cast<int>(atom.type);
      return;
    }
    const int from = place(places + k - arrivals);
    for (int d = 0; d < 3; ++d) {
      p.x(to, d) = p.x(from, d);
      p.v(to, d) = p.v(from, d);
    }
    p.id(to) = p.id(from);
    p.type(to) = p.type(from);
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

/// The ranks next to this one, itself left out, each once: the same on both sides of every pair.
std::map<int, std::vector<MovingAtom>> neighbours_of(const CartesianGrid& ranks, const Subdomain& s,
                                                     int self) {
  std::map<int, std::vector<MovingAtom>> result;
  for (int side = 1; side < ghost_sides; ++side) {
    std::array<int, 3> c = s.coords;
    bool exists = true;
    for (int d = 0; d < 3; ++d) {
      c[d] += owner_offset(side, d);
      exists = exists && (s.box.periodic[d] || (c[d] >= 0 && c[d] < s.grid[d]));
    }
    if (exists && ranks.rank_of(c) != self) result.try_emplace(ranks.rank_of(c));
  }
  return result;
}

const double* as_doubles(const MovingAtom* atoms) { return reinterpret_cast<const double*>(atoms); }
constexpr std::int64_t atom_doubles = sizeof(MovingAtom) / sizeof(double);

}  // namespace

std::vector<MovingAtom> Migration::exchange(const Subdomain& s,
                                            const std::vector<MovingAtom>& leaving) const {
  auto out = neighbours_of(ranks_, s, comm_.rank());
  const Routes routes(s);
  for (const MovingAtom& atom : leaving) {
    std::array<int, 3> c = s.coords;
    for (int d = 0; d < 3; ++d) c[d] += routes.along[d].direction(atom.x[d]);
    out.at(ranks_.rank_of(c)).push_back(atom);
  }
  std::vector<int> n_out, n_in(out.size());
  for (const auto& [rank, atoms] : out) n_out.push_back(static_cast<int>(atoms.size()));
  PendingMessages messages(comm_);
  std::size_t k = 0;
  for (const auto& [rank, atoms] : out) messages.receive(&n_in[k++], 1, rank);
  k = 0;
  for (const auto& [rank, atoms] : out) messages.send(&n_out[k++], 1, rank);
  messages.wait();
  std::vector<MovingAtom> arrivals(static_cast<std::size_t>(std::accumulate(n_in.begin(), n_in.end(), 0)));
  double* to = reinterpret_cast<double*>(arrivals.data());
  k = 0;
  for (const auto& [rank, atoms] : out) {
    messages.receive(to, atom_doubles * n_in[k], rank);
    to += atom_doubles * n_in[k++];
  }
  for (const auto& [rank, atoms] : out)
    messages.send(as_doubles(atoms.data()), atom_doubles * static_cast<std::int64_t>(atoms.size()), rank);
  messages.wait();
  return arrivals;
}

void Migration::settle(const std::vector<int>& left, const std::vector<MovingAtom>& arrivals, Particles& p) {
  const int n_left = static_cast<int>(left.size()), n_new = static_cast<int>(arrivals.size());
  const int stay = p.n_local - n_left, n = stay + n_new;
  reserve(p, n);
  // Arrivals take the lowest places; those that remain free below the new end are filled from beyond it.
  std::vector<int> to(left.begin(), left.begin() + std::min(n_left, n_new)), from;
  for (int i = p.n_local; i < n; ++i) to.push_back(i);
  auto gone = std::lower_bound(left.begin(), left.end(), n);
  int stander = n;
  for (auto hole = left.begin() + std::min(n_left, n_new); hole < left.end() && *hole < n; ++hole) {
    for (; gone < left.end() && *gone == stander; ++gone) ++stander;
    to.push_back(*hole);
    from.push_back(stander++);
  }
  p.n_local = n;
  if (to.empty()) return;
  make_room(moving_, n_new, "moving_atoms");
  make_room(places_, static_cast<int>(to.size() + from.size()), "places");
  std::copy(arrivals.begin(), arrivals.end(), moving_.data());
  std::copy(from.begin(), from.end(), std::copy(to.begin(), to.end(), places_.data()));
  const int places = static_cast<int>(to.size());
  Kokkos::parallel_for("settle_atoms", over(places), SettleAtoms{p, moving_, places_, n_new, places});
}

void Migration::remove(const std::vector<int>& atoms, Particles& p) {
  Kokkos::fence("before the host writes where atoms go");
  settle(atoms, {}, p);
}

void Migration::bring_home(const Subdomain& s, Particles& p, std::int64_t expected) {
  p.n_ghost = 0;
  for (;;) {
    make_room(leavers_, p.n_local, "leavers");
    Found found;
    Kokkos::parallel_scan("wrap_and_choose", over(p.n_local), WrapAndChoose(s, p.x, leavers_), found);
    std::vector<int> left;
    std::vector<MovingAtom> atoms;
    if (found.leavers > 0) {
      make_room(moving_, found.leavers, "moving_atoms");
      make_room(places_, found.leavers, "places");
      Kokkos::parallel_for("pack_leavers", over(found.leavers), PackLeavers{p, leavers_, moving_, places_});
      Kokkos::fence("before the host reads who leaves");
      left.assign(places_.data(), places_.data() + found.leavers);
      atoms.assign(moving_.data(), moving_.data() + found.leavers);
    }
    if (comm_.size() > 1) atoms = exchange(s, atoms);
    settle(left, atoms, p);
    const Routes routes(s);
    const auto away =
        std::count_if(atoms.begin(), atoms.end(), [&](const MovingAtom& a) { return routes.leaves(a.x); });
    const auto totals = comm_.sum(std::vector<std::int64_t>{away, p.n_local, found.not_finite});
    if (totals[2] > 0 || totals[1] != expected)
      throw InputError(
          fmt::format("atoms lost: {} of {} left, {} coordinates are not finite; the time step is too long "
                      "for the forces",
                      totals[1], expected, totals[2]));
    if (totals[0] == 0) return;
  }
}

Atoms distribute(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& s, Atoms atoms) {
  std::vector<std::vector<char>> parts(static_cast<std::size_t>(comm.size()));
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    MovingAtom r{};
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
    for (std::size_t b = 0; b < part.size(); b += sizeof(MovingAtom)) {
      MovingAtom r;
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
