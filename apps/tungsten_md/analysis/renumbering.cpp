#include "tungsten_md/analysis/renumbering.hpp"

#include <algorithm>

namespace wafermark::tungsten {

bool look_renumbered(const Communicator& comm, const std::vector<Whereabouts>& away, std::int64_t sites,
                     bool same_number) {
  // Neighbours in the order of homes meet on the rank that owns the block of homes.
  const std::int64_t block = (sites + comm.size() - 1) / comm.size();
  std::vector<std::vector<std::int64_t>> parts(comm.size());
  for (const Whereabouts& w : away) {
    auto& part = parts[static_cast<std::size_t>(w.home / block)];
    part.insert(part.end(), {w.home, w.site});
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> shifts;  // home, how far away in site numbers
  for (const auto& part : comm.all_to_all(parts))
    for (std::size_t k = 0; 2 * k < part.size(); ++k)
      shifts.emplace_back(part[2 * k], part[2 * k + 1] - part[2 * k]);
  std::sort(shifts.begin(), shifts.end());
  std::int64_t chained = 0;
  for (std::size_t k = 0; k + 1 < shifts.size(); ++k)
    chained += shifts[k + 1].first == shifts[k].first + 1 && shifts[k + 1].second == shifts[k].second ? 1 : 0;
  const auto sums = comm.sum(std::vector<std::int64_t>{chained, static_cast<std::int64_t>(shifts.size())});
  const std::int64_t longest_row = same_number ? 16 : 2;
  return 2 * sums[0] >= sums[1] && sums[1] >= longest_row;
}

}  // namespace wafermark::tungsten
