// Atoms that have left an open box, whatever finds them (the rule: kernels/lost_atoms.hpp).
#pragma once

#include <cstdint>
#include <string>

#include "tungsten_md/kernels/lost_atoms.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

bool has_open_axis(const Box& box);

/// `radius`: cut-off and skin, Angstrom.
OpenFaces open_faces(const Box& box, double radius);

/// What a run says that ends because of one.
std::string lost_atom_text(std::int64_t id, const Vec3& x, std::int64_t step, double time_ps);

}  // namespace wafermark::tungsten
