#include "tungsten_md/cluster/element_swaps.hpp"

#include <cmath>
#include <limits>

#include "tungsten_md/dynamics/nearest_atom.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::int64_t no_atom = std::numeric_limits<std::int64_t>::max();

/// Each atom draws a number of 63 bits; the one with the least is chosen.
struct Draw {
  IdView id;
  TypeView type;
  std::uint64_t seed, number;
  int except;  ///< no atom of this type
  KOKKOS_FUNCTION std::int64_t operator()(int i) const {
    if (type(i) == except) return Kokkos::Experimental::finite_max_v<std::int64_t>;
    const auto words = random_words(seed, static_cast<std::uint64_t>(id(i)), number, Stream::swaps);
    return static_cast<std::int64_t>((std::uint64_t{words[0]} << 31) | (words[1] >> 1));
  }
};
struct LeastDraw {
  Draw draw;
  KOKKOS_FUNCTION void operator()(int i, std::int64_t& least) const {
    if (const std::int64_t drawn = draw(i); drawn < least) least = drawn;
  }
};
struct IdOfDraw {
  Draw draw;
  std::int64_t wanted;
  KOKKOS_FUNCTION void operator()(int i, std::int64_t& lowest) const {
    if (draw(i) == wanted && draw.id(i) < lowest) lowest = draw.id(i);
  }
};
struct TypeRange {
  TypeView type;
  KOKKOS_FUNCTION void operator()(int i, int& least, int& largest) const {
    if (type(i) < least) least = type(i);
    if (type(i) > largest) largest = type(i);
  }
};

std::int64_t chosen_atom(const Communicator& comm, const Particles& p, const Draw& draw) {
  std::int64_t least = no_atom, id = no_atom;
  Kokkos::parallel_reduce("swap_draws", over(p.n_local), LeastDraw{draw}, Kokkos::Min<std::int64_t>(least));
  least = comm.min(least);
  Kokkos::parallel_reduce("swap_ids", over(p.n_local), IdOfDraw{draw, least}, Kokkos::Min<std::int64_t>(id));
  return comm.min(id);
}

int type_of(const Communicator& comm, const Particles& p, std::int64_t id) {
  int type = -1;
  if (const int local = local_index(p, id); local >= 0)
    Kokkos::deep_copy(type, Kokkos::subview(p.type, local));
  return comm.max(type);
}

void turn_into(Particles& p, int local, int before, int after) {
  double masses[2] = {};
  Kokkos::deep_copy(masses[0], Kokkos::subview(p.mass_of_type, before));
  Kokkos::deep_copy(masses[1], Kokkos::subview(p.mass_of_type, after));
  Kokkos::deep_copy(Kokkos::subview(p.type, local), after);
  for (int d = 0; d < 3; ++d) {
    double v = 0.0;
    Kokkos::deep_copy(v, Kokkos::subview(p.v, local, d));
    Kokkos::deep_copy(Kokkos::subview(p.v, local, d), v * std::sqrt(masses[0] / masses[1]));
  }
}

}  // namespace

AtomPair ElementSwaps::choose(const Communicator& comm, const Particles& p) const {
  const auto number = 2 * static_cast<std::uint64_t>(tried_);
  AtomPair pair;
  pair.first = chosen_atom(comm, p, {p.id, p.type, seed_, number, -1});
  pair.second = chosen_atom(comm, p, {p.id, p.type, seed_, number + 1, type_of(comm, p, pair.first)});
  return pair;
}

bool ElementSwaps::accepts(double rise_ev, double temperature_k) {
  // Atoms' ids begin at 1: the numbers of id 0 are free.
  const auto words = random_words(seed_, 0, static_cast<std::uint64_t>(tried_), Stream::swaps);
  const bool yes =
      rise_ev <= 0.0 || uniform(words[0]) < std::exp(-rise_ev / (units::boltzmann_ev_per_k * temperature_k));
  ++tried_;
  accepted_ += yes;
  return yes;
}

void exchange_elements(const Communicator& comm, Particles& p, const AtomPair& pair) {
  const int first = type_of(comm, p, pair.first), second = type_of(comm, p, pair.second);
  if (const int local = local_index(p, pair.first); local >= 0) turn_into(p, local, first, second);
  if (const int local = local_index(p, pair.second); local >= 0) turn_into(p, local, second, first);
}

bool has_two_elements(const Communicator& comm, const Particles& p) {
  int least = std::numeric_limits<int>::max(), largest = -1;
  Kokkos::parallel_reduce("type_range", over(p.n_local), TypeRange{p.type}, Kokkos::Min<int>(least),
                          Kokkos::Max<int>(largest));
  return comm.min(least) < comm.max(largest);
}

}  // namespace wafermark::tungsten
