// LAMMPS data files (read_data / write_data): orthogonal boxes, atom_style atomic.
#pragma once

#include <string>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// What a data file does not say.
struct DataFileDefaults {
  std::array<bool, 3> periodic{true, true, true};
  std::vector<std::string>
      elements;  ///< symbol of each type; from the comments of Masses ("1 183.84 # W") when empty
};

/// Collective; rank r gets the atoms with id % size = r. Positions are wrapped into the box along periodic
/// axes, image flags are dropped. Types without a symbol are named by their number; masses that the file
/// lacks are 0. Throws InputError "FILE:LINE: found ..., expected ..." for anything else than a complete,
/// orthogonal, atomic file.
Configuration read_lammps_data(const Communicator& comm, const std::string& path,
                               const DataFileDefaults& defaults = {});

/// Atoms in id order, 17 digits: reading gives the same doubles. Masses of 0 (unknown) are not written.
/// Collective.
void write_lammps_data(const Communicator& comm, const std::string& path, const Configuration& configuration);

}  // namespace wafermark::tungsten
