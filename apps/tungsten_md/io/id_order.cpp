#include "tungsten_md/io/id_order.hpp"

#include <algorithm>

namespace wafermark::tungsten {

OrderedAtoms order_by_id(const Communicator& comm, const Atoms& atoms, const std::vector<Vec3>* forces) {
  std::int64_t last = 0;
  for (std::int64_t id : atoms.id) last = std::max(last, id);
  last = comm.max(last);
  const std::int64_t range = (last + comm.size() - 1) / comm.size();  // of ids per rank

  std::vector<std::vector<std::int64_t>> labels(comm.size());  // id, type
  std::vector<std::vector<double>> vectors(comm.size());       // x, v, force
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const auto owner = static_cast<std::size_t>((atoms.id[i] - 1) / range);
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
