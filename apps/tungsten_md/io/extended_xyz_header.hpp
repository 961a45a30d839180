// The comment line of an extended XYZ frame (github.com/libAtoms/extxyz): box, time, and what the columns
// hold.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "tungsten_md/io/text_file.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// As ASE, OVITO, LAMMPS and we write it: key=value, values quoted where they hold blanks, keys in any case.
struct ExtendedXyzHeader {
  static constexpr std::size_t absent = static_cast<std::size_t>(-1);
  enum class Species { none, symbol, number, atomic_number };

  Box box;
  double time_ps = 0.0;
  std::int64_t step = 0;
  std::size_t columns = 0;
  Species species_kind = Species::none;
  std::size_t species = absent, x = absent, v = absent, id = absent;  ///< first columns
  bool momenta = false;  ///< velocities stand as momenta, which are not read

  /// From the line that `file` is at. Throws InputError without a Lattice, for triclinic boxes, and without
  /// positions.
  static ExtendedXyzHeader parse(const TextFile& file);
};

}  // namespace wafermark::tungsten
