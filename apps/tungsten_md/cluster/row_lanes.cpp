#include "tungsten_md/cluster/row_lanes.hpp"

namespace wafermark::tungsten {

int lanes_for(std::int64_t atoms, std::int64_t threads) {
  int lanes = 1;
  while (lanes < 32 && 2 * lanes * atoms <= threads) lanes *= 2;
  return lanes;
}

std::int64_t threads_at_once() { return on_cpu ? 1 : ExecSpace().concurrency() / 4; }

}  // namespace wafermark::tungsten
