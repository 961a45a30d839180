// Cubic crystals of n x n x n conventional cells. Every rank builds its own part, without communication.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

enum class LatticeKind { sc, bcc, fcc };

/// "sc", "bcc" or "fcc"; anything else throws InputError "<where>: found ..., expected ...".
LatticeKind lattice_kind(const std::string& name, const std::string& where);
const char* name_of(LatticeKind kind);

/// The sites of a crystal: conventional cubic cells of edge `a` (Angstrom). Site ((ix ny + iy) nz + iz) nb +
/// b is basis site b (of nb) of cell (ix, iy, iz); the atom that starts there has id site + 1, whatever the
/// ranks.
struct Lattice {
  LatticeKind kind = LatticeKind::bcc;
  double a = 0.0;
  std::array<int, 3> cells{0, 0, 0};
  Vec3 origin{0, 0, 0};  ///< position of basis site 0 of cell (0, 0, 0)

  int sites_per_cell() const;
  std::int64_t size() const;
  /// Offset of basis site b in units of a; multiples of 1/2.
  Vec3 basis(int b) const;
  Vec3 position(std::int64_t site) const;
  /// Distance of the n-th neighbour shell, n = 1 ... 4.
  double shell(int n) const;
  /// Half the distance of two atomic planes along a cube axis.
  double margin() const;
  /// The box of cells * a along each axis in which the planes lie centred: margin() stays free at every face,
  /// so no atom lies on a face of the box and an open crystal keeps all its atoms inside.
  Box box(std::array<bool, 3> periodic) const;
};

/// A crystal whose box begins at (0, 0, 0). Throws InputError when `a` or a cell count is not positive.
Lattice make_lattice(LatticeKind kind, double a, std::array<int, 3> cells);

/// The crystal's atoms (type 0, at rest) with lo <= x < hi, in the order of their sites, in the crystal's
/// box. Half-open parts that tile the box give every atom exactly once.
Configuration build_crystal(const Lattice& lattice, std::array<bool, 3> periodic, const std::string& element,
                            double mass_amu, const Vec3& lo, const Vec3& hi);
/// All atoms of the crystal.
Configuration build_crystal(const Lattice& lattice, std::array<bool, 3> periodic, const std::string& element,
                            double mass_amu);

}  // namespace wafermark::tungsten
