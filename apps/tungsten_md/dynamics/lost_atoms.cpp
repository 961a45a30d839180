#include "tungsten_md/dynamics/lost_atoms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace wafermark::tungsten {

bool has_open_axis(const Box& box) { return !box.periodic[0] || !box.periodic[1] || !box.periodic[2]; }

OpenFaces open_faces(const Box& box, double radius) {
  constexpr double endless = std::numeric_limits<double>::infinity();
  OpenFaces faces{{}, {}, {}, radius};
  for (int d = 0; d < 3; ++d) {
    faces.lo[d] = box.periodic[d] ? -endless : box.lo[d];
    faces.hi[d] = box.periodic[d] ? endless : box.hi[d];
    faces.length[d] = std::max(box.length(d), radius);
  }
  return faces;
}

std::string lost_atom_text(std::int64_t id, const Vec3& x, std::int64_t step, double time_ps) {
  return fmt::format(
      "atom {} left the open box at ({:.6g}, {:.6g}, {:.6g}) Angstrom, step {}, {:.6g} ps; "
      "structure.lost_atoms = \"drop\" goes on without such atoms",
      id, x[0], x[1], x[2], step, time_ps);
}

}  // namespace wafermark::tungsten
