// Which atom is meant by a place.
#pragma once

#include <cstdint>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

struct FoundAtom {
  std::int64_t id = 0;
  int local = -1;                 ///< its index where it is this rank's
  double squared_distance = 0.0;  ///< of the nearest atom, Angstrom^2
};

inline constexpr int any_type = -1;

/// The atom nearest to `place`, round the box where it is periodic; of those that are equally near the one
/// with the lowest id. Of a `type` where that is named: no atom (id 0) where there is none. The same for any
/// number of ranks. Collective.
FoundAtom nearest_atom(const Communicator& comm, const Particles& p, const Box& box, const Vec3& place,
                       int type = any_type);

/// The index of this rank's atom with that id, or -1.
int local_index(const Particles& p, std::int64_t id);

}  // namespace wafermark::tungsten
