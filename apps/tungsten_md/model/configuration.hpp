// Atoms on the host, as files and builders see them. A rank holds any part of the atoms; the order is free.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// One rank's atoms, structure of arrays. Units: Angstrom, Angstrom/ps.
struct Atoms {
  std::vector<std::int64_t> id;  ///< 1 ... number of atoms over all ranks, unique
  std::vector<int> type;         ///< index into Configuration::elements
  std::vector<Vec3> x;           ///< positions, wrapped into the box along periodic axes
  std::vector<Vec3> v;           ///< velocities
  std::size_t size() const { return id.size(); }
};

struct Configuration {
  Box box;
  std::vector<std::string> elements;  ///< chemical symbol of each type
  std::vector<double> masses;         ///< amu, of each type
  Atoms atoms;                        ///< this rank's part
  double time_ps = 0.0;
  std::int64_t step = 0;
  bool ids_known = true;             ///< false: the file had none, rows were numbered in their order
  std::vector<std::string> notes{};  ///< what the reader of a file passed over, for the user; on rank 0
};

}  // namespace wafermark::tungsten
