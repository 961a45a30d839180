#include <fmt/format.h>

#include <limits>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/runtime.hpp"

namespace wafermark {

std::array<int, 3> CartesianGrid::dims_for(int ranks, std::array<int, 3> fixed, std::array<double, 3> edges) {
  std::array<int, 3> dims{};
  double least = std::numeric_limits<double>::infinity();
  for (int x = 1; x <= ranks; ++x) {
    if (ranks % x != 0 || (fixed[0] != 0 && fixed[0] != x)) continue;
    for (int y = 1; y <= ranks / x; ++y) {
      const int z = ranks / x / y;
      if (x * y * z != ranks || (fixed[1] != 0 && fixed[1] != y) || (fixed[2] != 0 && fixed[2] != z))
        continue;
      const double cut = x * edges[1] * edges[2] + y * edges[0] * edges[2] + z * edges[0] * edges[1];
      if (cut < least) {
        least = cut;
        dims = {x, y, z};
      }
    }
  }
  if (dims[0] == 0)
    throw InputError(fmt::format("rank grid {} x {} x {} does not fit {} ranks (0 stands for: chosen)",
                                 fixed[0], fixed[1], fixed[2], ranks));
  return dims;
}

CartesianGrid::CartesianGrid(const Communicator& comm, std::array<int, 3> fixed, std::array<double, 3> edges)
    : dims_(dims_for(comm.size(), fixed, edges)) {
  coords_ = {comm.rank() / (dims_[1] * dims_[2]), comm.rank() / dims_[2] % dims_[1], comm.rank() % dims_[2]};
  runtime::announce_grid(dims_);
}

int CartesianGrid::rank_of(std::array<int, 3> coords) const {
  for (std::size_t d = 0; d < 3; ++d) coords[d] = (coords[d] % dims_[d] + dims_[d]) % dims_[d];
  return (coords[0] * dims_[1] + coords[1]) * dims_[2] + coords[2];
}

int CartesianGrid::neighbour(int axis, int direction) const {
  std::array<int, 3> c = coords_;
  c[static_cast<std::size_t>(axis)] += direction;
  return rank_of(c);
}

}  // namespace wafermark
