#include "tungsten_md/io/extended_xyz.hpp"

#include <fmt/format.h>

#include <iterator>

#include "tungsten_md/io/collective_text.hpp"
#include "tungsten_md/io/id_order.hpp"

namespace wafermark::tungsten {

void write_extended_xyz(const Communicator& comm, const std::string& path, const Configuration& configuration,
                        bool append) {
  const OrderedAtoms ordered = order_by_id(comm, configuration.atoms);
  const Atoms& atoms = ordered.atoms;
  const Box& box = configuration.box;
  const auto flag = [&](int d) { return box.periodic[d] ? 'T' : 'F'; };
  const std::string header = fmt::format(
      "{}\nLattice=\"{:.17g} 0 0 0 {:.17g} 0 0 0 {:.17g}\" Origin=\"{:.17g} {:.17g} {:.17g}\" pbc=\"{} {} "
      "{}\" "
      "Properties=species:S:1:pos:R:3:velo:R:3:id:I:1 Time={:.17g} Step={}\n",
      ordered.total, box.length(0), box.length(1), box.length(2), box.lo[0], box.lo[1], box.lo[2], flag(0),
      flag(1), flag(2), configuration.time_ps, configuration.step);
  std::string rows;
  for (std::size_t i = 0; i < atoms.size(); ++i)
    fmt::format_to(std::back_inserter(rows), "{} {:.17g} {:.17g} {:.17g} {:.17g} {:.17g} {:.17g} {}\n",
                   configuration.elements[atoms.type[i]], atoms.x[i][0], atoms.x[i][1], atoms.x[i][2],
                   atoms.v[i][0], atoms.v[i][1], atoms.v[i][2], atoms.id[i]);
  write_collective_text(comm, path, {{header, rows}}, append);
}

}  // namespace wafermark::tungsten
