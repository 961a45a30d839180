// Extended XYZ (github.com/libAtoms/extxyz), which OVITO, ASE and LAMMPS read and write.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// One frame: species, position, velocity and id of each atom in id order; the box, its origin, pbc, Time
/// (ps) and Step on the comment line. `append` puts it behind earlier frames. Collective.
void write_extended_xyz(const Communicator& comm, const std::string& path, const Configuration& configuration,
                        bool append = false);

/// Reads frame by frame: species (symbols, numbers of types from 1, or atomic numbers), positions, and, where
/// there are such columns, velocities (velo, vel; Angstrom/ps) and ids; others are ignored. Without ids rows
/// are numbered in their order (Configuration::ids_known). Boundaries are periodic unless pbc says otherwise.
class ExtendedXyzReader {
 public:
  /// `elements` names the types that come as numbers, and comes first in the frames' elements. Collective, as
  /// next().
  ExtendedXyzReader(const Communicator& comm, const std::string& path,
                    std::vector<std::string> elements = {});
  ~ExtendedXyzReader();

  /// The next frame (rank r gets the atoms with id % size = r), or none at the end. Throws InputError
  /// "FILE:LINE: found ..., expected ..." for a frame that is malformed, triclinic, cut off or without a
  /// Lattice.
  std::optional<Configuration> next();

 private:
  class Parser;
  const Communicator& comm_;
  std::string path_;
  std::unique_ptr<Parser> parser_;  ///< on rank 0
};

}  // namespace wafermark::tungsten
