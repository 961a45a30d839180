// A simple cubic crystal of resting atoms, 3 Angstrom apart.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// Of edge^3 sites, periodic.
inline Box resting_box(int edge) {
  return {{0, 0, 0}, {3.0 * edge, 3.0 * edge, 3.0 * edge}, {true, true, true}};
}

/// Its atoms, ids from 1; each rank has every size()-th.
inline Particles resting_crystal(const Communicator& comm, int edge, double mass_amu) {
  Atoms a;
  for (std::int64_t k = comm.rank(); k < std::int64_t{edge} * edge * edge; k += comm.size()) {
    a.id.push_back(k + 1);
    a.type.push_back(0);
    a.x.push_back({3.0 * static_cast<double>(k % edge) + 1.5,
                   3.0 * static_cast<double>(k / edge % edge) + 1.5,
                   3.0 * static_cast<double>(k / edge / edge) + 1.5});
    a.v.push_back({0, 0, 0});
  }
  return to_device(a, {mass_amu});
}

}  // namespace wafermark::tungsten
