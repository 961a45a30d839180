// LAMMPS data files (read_data / write_data): orthogonal boxes, every atom style that has x, y and z.
#pragma once

#include <string>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// What files do not say, or not clearly.
struct DataFileDefaults {
  std::array<bool, 3> periodic{true, true, true};  ///< of LAMMPS data files
  /// Symbol of each type; when empty, its label, or the comment of Masses ("1 183.84 # W").
  std::vector<std::string> elements{};
  std::string particles{};  ///< of H5MD files: the group to read, see TrajectoryReader
};

/// Collective; rank r gets the atoms with id % size = r. Positions are wrapped into the box along periodic
/// axes; image flags, other columns and other sections are passed over, with notes where they say something
/// about the atoms. Types without a symbol are named by their number; masses that the file lacks are 0. Tilts
/// that are rounding (TextFile::require_no_tilt) are zero. Throws InputError "FILE:LINE: found ..., expected
/// ..." for a file that is not complete, for triclinic boxes, for a section Atoms whose style nothing tells,
/// and where the file names other elements than `defaults`.
Configuration read_lammps_data(const Communicator& comm, const std::string& path,
                               const DataFileDefaults& defaults = {});

/// Atoms in id order, 17 digits: reading gives the same doubles. Masses of 0 (unknown) are not written.
/// Collective.
void write_lammps_data(const Communicator& comm, const std::string& path, const Configuration& configuration);

}  // namespace wafermark::tungsten
