#include "tungsten_md/io/id_order.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace wafermark::tungsten {

namespace {

/// The last id of each rank but the last, such that all ranks have equally many. Bisection of the range of
/// ids, for all ranks at once: ids may be far apart, so equal ranges of them could send all atoms to one
/// rank. `sorted`: the ids that this rank holds now.
std::vector<std::int64_t> last_ids_of_equal_shares(const Communicator& comm,
                                                   const std::vector<std::int64_t>& sorted) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min(),
                         largest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t total = comm.sum(static_cast<std::int64_t>(sorted.size())),
                     first = comm.min(sorted.empty() ? largest : sorted.front()),
                     last = comm.max(sorted.empty() ? smallest : sorted.back());
  // Rank r's last id is the least with total (r + 1) / ranks ids up to it; it lies in [low, high].
  std::vector<std::int64_t> low(ranks - 1, first), high(ranks - 1, last), below(ranks - 1);
  while (total > 0 && low != high) {
    for (std::size_t r = 0; r + 1 < ranks; ++r) {
      const std::int64_t middle = std::midpoint(low[r], high[r]);
      below[r] = std::upper_bound(sorted.begin(), sorted.end(), middle) - sorted.begin();
    }
    const auto counts = comm.sum(below);
    for (std::size_t r = 0; r + 1 < ranks; ++r) {
      const std::int64_t middle = std::midpoint(low[r], high[r]);
      const std::int64_t wanted = total / comm.size() * static_cast<std::int64_t>(r + 1) +
                                  total % comm.size() * static_cast<std::int64_t>(r + 1) / comm.size();
      if (counts[r] >= wanted)
        high[r] = middle;
      else if (low[r] < high[r])
        low[r] = middle + 1;
    }
  }
  return low;
}

}  // namespace

OrderedAtoms order_by_id(const Communicator& comm, const Atoms& atoms, const std::vector<Vec3>* forces) {
  std::vector<std::int64_t> sorted = atoms.id;
  std::sort(sorted.begin(), sorted.end());
  const std::vector<std::int64_t> last = last_ids_of_equal_shares(comm, sorted);

  std::vector<std::vector<std::int64_t>> labels(comm.size());  // id, type
  std::vector<std::vector<double>> vectors(comm.size());       // x, v, force
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const auto owner =
        static_cast<std::size_t>(std::lower_bound(last.begin(), last.end(), atoms.id[i]) - last.begin());
    labels[owner].insert(labels[owner].end(), {atoms.id[i], atoms.type[i]});
    auto& to = vectors[owner];
    to.insert(to.end(), atoms.x[i].begin(), atoms.x[i].end());
    to.insert(to.end(), atoms.v[i].begin(), atoms.v[i].end());
    if (forces) to.insert(to.end(), (*forces)[i].begin(), (*forces)[i].end());
  }
  const auto label_parts = comm.all_to_all(labels);
  const auto vector_parts = comm.all_to_all(vectors);

  struct Row {
    std::int64_t id;
    int type;
    const double* vectors;
  };
  const std::size_t width = forces ? 9 : 6;
  std::vector<Row> rows;
  for (std::size_t r = 0; r < label_parts.size(); ++r)
    for (std::size_t k = 0; 2 * k < label_parts[r].size(); ++k)
      rows.push_back(
          {label_parts[r][2 * k], static_cast<int>(label_parts[r][2 * k + 1]), &vector_parts[r][width * k]});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.id < b.id; });

  OrderedAtoms ordered;
  for (const Row& row : rows) {
    ordered.atoms.id.push_back(row.id);
    ordered.atoms.type.push_back(row.type);
    const double* p = row.vectors;
    ordered.atoms.x.push_back({p[0], p[1], p[2]});
    ordered.atoms.v.push_back({p[3], p[4], p[5]});
    if (forces) ordered.forces.push_back({p[6], p[7], p[8]});
  }
  const auto n = static_cast<std::int64_t>(rows.size());
  ordered.first_row = comm.exclusive_scan(n);
  ordered.total = comm.sum(n);
  return ordered;
}

}  // namespace wafermark::tungsten
