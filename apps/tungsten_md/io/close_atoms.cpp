#include "tungsten_md/io/close_atoms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

/// Cells are a few limits wide: so few atoms share one, unless two of them are in one place.
constexpr double cell_angstrom = 25.0 * closest_atoms_angstrom;
using Cell = std::array<std::int64_t, 3>;

/// Cells along one axis: a whole number of them in a periodic box.
struct Axis {
  double lo, edge;
  std::int64_t periodic_cells;  ///< 0 along an open axis

  Axis(const Box& box, int d) : lo(box.lo[d]), edge(cell_angstrom), periodic_cells(0) {
    if (!box.periodic[d]) return;
    periodic_cells = std::max<std::int64_t>(1, cell(box.hi[d]));
    edge = box.length(d) / static_cast<double>(periodic_cells);
  }
  std::int64_t cell(double x) const {
    return static_cast<std::int64_t>(std::clamp(std::floor((x - lo) / edge), -9e18, 9e18));
  }
  /// The cell of x and, where x lies within the limit of a face, the one beyond; how many.
  int cells_of(double x, std::int64_t (&found)[2]) const {
    const std::int64_t low = cell(x - closest_atoms_angstrom), high = cell(x + closest_atoms_angstrom);
    found[0] = wrapped(low);
    found[1] = wrapped(high);
    return found[0] == found[1] ? 1 : 2;
  }
  std::int64_t wrapped(std::int64_t c) const {
    if (periodic_cells == 0) return c;
    return ((c % periodic_cells) + periodic_cells) % periodic_cells;
  }
};

std::uint64_t hash(const Cell& cell) {
  std::uint64_t h = 0;
  for (const std::int64_t c : cell) {
    h = (h ^ static_cast<std::uint64_t>(c)) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29;
  }
  return h;
}

struct Pair {
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), second = first;
  double distance = 0.0;
  bool operator<(const Pair& o) const { return std::tie(first, second) < std::tie(o.first, o.second); }
};

struct Member {
  Cell cell;
  std::int64_t id;
  Vec3 x;
};

/// Sends every atom to the ranks of the cells within its reach; returns the members of this rank's cells, by
/// cell and id.
std::vector<Member> members_of_own_cells(const Communicator& comm, const Configuration& state) {
  const Axis axes[3] = {{state.box, 0}, {state.box, 1}, {state.box, 2}};
  std::vector<std::vector<std::int64_t>> labels(comm.size());  // id and cell
  std::vector<std::vector<double>> places(comm.size());
  const Atoms& atoms = state.atoms;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    std::int64_t found[3][2];
    int n[3];
    for (int d = 0; d < 3; ++d) n[d] = axes[d].cells_of(atoms.x[i][d], found[d]);
    for (int a = 0; a < n[0]; ++a)
      for (int b = 0; b < n[1]; ++b)
        for (int c = 0; c < n[2]; ++c) {
          const Cell cell{found[0][a], found[1][b], found[2][c]};
          const auto rank = static_cast<std::size_t>(hash(cell) % static_cast<std::uint64_t>(comm.size()));
          labels[rank].insert(labels[rank].end(), {atoms.id[i], cell[0], cell[1], cell[2]});
          places[rank].insert(places[rank].end(), atoms.x[i].begin(), atoms.x[i].end());
        }
  }
  const auto label_parts = comm.all_to_all(labels);
  const auto place_parts = comm.all_to_all(places);
  std::vector<Member> members;
  for (std::size_t r = 0; r < label_parts.size(); ++r)
    for (std::size_t k = 0; 4 * k < label_parts[r].size(); ++k) {
      const std::int64_t* l = &label_parts[r][4 * k];
      const double* p = &place_parts[r][3 * k];
      members.push_back({{l[1], l[2], l[3]}, l[0], {p[0], p[1], p[2]}});
    }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return std::tie(a.cell, a.id) < std::tie(b.cell, b.id); });
  return members;
}

/// The close pair with the lowest ids among the members of one cell. Ends at the first: all atoms of a file
/// may be in one place.
Pair first_close_pair(const std::vector<Member>& members, std::size_t begin, std::size_t end,
                      const Box& box) {
  for (std::size_t i = begin; i < end; ++i)
    for (std::size_t j = i + 1; j < end; ++j) {
      const Vec3 &a = members[i].x, &b = members[j].x;
      const Vec3 d = box.minimum_image({a[0] - b[0], a[1] - b[1], a[2] - b[2]});
      const double distance = std::hypot(d[0], d[1], d[2]);
      if (distance < closest_atoms_angstrom) return {members[i].id, members[j].id, distance};
    }
  return {};
}

}  // namespace

void require_atoms_apart(const Communicator& comm, const Configuration& state, const std::string& file) {
  const std::vector<Member> members = members_of_own_cells(comm, state);
  Pair found;
  for (std::size_t begin = 0; begin < members.size();) {
    std::size_t end = begin + 1;
    while (end < members.size() && members[end].cell == members[begin].cell) ++end;
    found = std::min(found, first_close_pair(members, begin, end, state.box));
    begin = end;
  }
  const auto firsts = comm.all_gather(found.first), seconds = comm.all_gather(found.second);
  const auto distances = comm.all_gather(found.distance);
  for (std::size_t r = 0; r < firsts.size(); ++r)
    found = std::min(found, Pair{firsts[r], seconds[r], distances[r]});
  if (found.first != Pair{}.first)
    throw InputError(
        fmt::format("{}: atoms {} and {} are {:.3g} Angstrom apart, expected at least {} (periodic images "
                    "included)",
                    file, found.first, found.second, found.distance, closest_atoms_angstrom));
}

}  // namespace wafermark::tungsten
