// The crystal that a configuration is made of, from what is known of it.
#pragma once

#include <optional>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

struct LatticeHints {
  LatticeKind kind = LatticeKind::bcc;
  double a = 0.0;                     ///< 0: box length / cells
  std::array<int, 3> cells{0, 0, 0};  ///< 0: box length / a, along periodic axes
  std::optional<Vec3> origin;         ///< of the first site
};

/// The lattice in the box of `state`. What the hints leave open follows from the box along periodic axes; an
/// open axis needs its cells, and its first plane of atoms tells the origin. Collective. Throws InputError
/// where that does not determine a lattice; `where` says to the user where the hints came from.
Lattice fitted_lattice(const Communicator& comm, const LatticeHints& hints, const Configuration& state,
                       const std::string& where);

/// The crystal of a potential (`a` its lattice constant), stretched to a box that holds whole numbers of its
/// cells: none where the box does not, an axis is open, or a tenth of the sites or more are empty.
/// Collective.
std::optional<Lattice> recognised_crystal(const Communicator& comm, LatticeKind kind, double a,
                                          const Configuration& state);

}  // namespace wafermark::tungsten
