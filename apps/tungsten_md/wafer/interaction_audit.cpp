#include "tungsten_md/wafer/interaction_audit.hpp"

#include "tungsten_md/wafer/placement/near_atoms.hpp"

namespace wafermark::tungsten {

std::vector<int> count_neighbours(const Configuration& c, double within, const std::vector<std::size_t>& of) {
  const NearAtoms near(c, within);
  std::vector<int> found;
  for (const std::size_t k : of) found.push_back(near.count(k));
  return found;
}

}  // namespace wafermark::tungsten
