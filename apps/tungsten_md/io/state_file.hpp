// Stored configurations, whatever the format: the file's content tells.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/communicator.hpp"
#include "tungsten_md/io/lammps_data.hpp"
#include "tungsten_md/model/configuration.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

/// The frames of an H5MD trajectory, a LAMMPS dump or an extended XYZ file, or the one state of a checkpoint
/// or a LAMMPS data file. Every call is collective.
class StateFile {
 public:
  /// Recognises the format; throws InputError when the file cannot be read. `defaults` is for LAMMPS files;
  /// its boundaries are those of data files.
  static std::unique_ptr<StateFile> open(const Communicator& comm, const std::string& path,
                                         const DataFileDefaults& defaults = {});
  virtual ~StateFile() = default;

  /// The next frame, none after the last. Throws InputError for a damaged one.
  virtual std::optional<Configuration> next() = 0;
  /// Passes over the next frame; false when there is none.
  virtual bool skip() { return next().has_value(); }
  /// The crystal that the atoms started from, where the file says so.
  virtual std::optional<Lattice> lattice() const { return std::nullopt; }
};

}  // namespace wafermark::tungsten
