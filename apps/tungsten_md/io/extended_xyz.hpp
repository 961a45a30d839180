// Extended XYZ (github.com/libAtoms/extxyz), which OVITO and ASE read.
#pragma once

#include <string>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// One frame: species, position, velocity and id of each atom in id order; the box, its origin, pbc, Time
/// (ps) and Step on the comment line. `append` puts it behind earlier frames. Collective.
void write_extended_xyz(const Communicator& comm, const std::string& path, const Configuration& configuration,
                        bool append = false);

}  // namespace wafermark::tungsten
