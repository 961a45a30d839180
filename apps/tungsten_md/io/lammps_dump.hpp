// LAMMPS text dumps (dump custom), one or many frames.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

struct DumpFrame {
  Configuration configuration;  ///< masses are 0 (a dump has none)
  std::vector<Vec3> forces;     ///< eV/Angstrom, by atom; empty when the dump has none
  bool has_velocities = false;
};

/// Reads frame by frame. A frame needs the columns x y z (each as x, xu, xs or xsu); id, type, element,
/// vx vy vz and fx fy fz are read when present, others ignored. Without ids rows are numbered in their order
/// (Configuration::ids_known), without type and element all atoms are of one type. Boundaries other than "pp"
/// count as open. Tilts that are rounding (TextFile::require_no_tilt) are zero.
class LammpsDumpReader {
 public:
  /// `elements` names the types; where empty, the column `element` does, or the type's number. Collective, as
  /// next().
  LammpsDumpReader(const Communicator& comm, const std::string& path, std::vector<std::string> elements = {});
  ~LammpsDumpReader();

  /// The next frame (rank r gets the atoms with id % size = r), or none at the end. Throws InputError
  /// "FILE:LINE: found ..., expected ..." for a frame that is malformed, triclinic or cut off.
  std::optional<DumpFrame> next();

 private:
  class Parser;
  const Communicator& comm_;
  std::string path_;
  std::unique_ptr<Parser> parser_;  ///< on rank 0
};

struct DumpOptions {
  bool velocities = true;
  bool append = false;  ///< behind earlier frames, otherwise the file is replaced
};

/// One frame in id order with 17 digits: id type x y z [vx vy vz] [fx fy fz]. Collective.
void write_lammps_dump(const Communicator& comm, const std::string& path, const Configuration& configuration,
                       const std::vector<Vec3>* forces = nullptr, DumpOptions options = {});

}  // namespace wafermark::tungsten
