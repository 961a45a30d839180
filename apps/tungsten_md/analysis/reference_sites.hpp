// The perfect crystal against which defects are counted: sites, and the Voronoi (Wigner-Seitz) cell around
// each.
#pragma once

#include <cstdint>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Sites are numbered 0 ... size() - 1. Positions in Angstrom, in the frame of the reference: an atom's
/// position less the drift of the crystal.
class ReferenceSites {
 public:
  virtual ~ReferenceSites() = default;

  virtual const Box& box() const = 0;
  virtual std::int64_t size() const = 0;
  virtual Vec3 position(std::int64_t site) const = 0;
  /// The site in whose Wigner-Seitz cell `x` lies (any periodic image), or -1: beyond an open surface.
  virtual std::int64_t nearest_site(const Vec3& x) const = 0;
  /// Id of the atom that started on a site.
  virtual std::int64_t atom_of(std::int64_t site) const = 0;
  /// Site on which an atom started, or -1 when the reference does not know the id.
  virtual std::int64_t site_of(std::int64_t atom) const = 0;
  /// False where the reference's numbers of atoms are those of rows in a file, and tell nothing.
  virtual bool ids_known() const { return true; }
  /// Rigid displacements of the crystal that could explain the positions; the best of them is found by
  /// estimate_drift(). Collective; the same on all ranks and, to the last bit, for any rank count.
  virtual std::vector<Vec3> drift_candidates(const Communicator& comm, const Atoms& atoms) const = 0;
};

/// How well the atoms, moved by -drift, lie on the sites.
struct Fit {
  Vec3 drift{};
  Vec3 mean{};               ///< mean displacement from the nearest site
  double mean_square = 0.0;  ///< its mean square, Angstrom^2
  std::int64_t at_home = 0;  ///< atoms in the cell of the site where they started
  std::int64_t outside = 0;  ///< atoms without a site
};

/// Collective. Sums are kept in integers, so that any rank count gives the same bits.
Fit fit(const Communicator& comm, const Atoms& atoms, const ReferenceSites& sites, const Vec3& drift);

/// The rigid displacement of the crystal: each candidate is refined until the mean displacement from the
/// nearest site vanishes; the one that leaves most atoms at home wins or, where ids do not tell, the one with
/// the least mean square. Collective.
Vec3 estimate_drift(const Communicator& comm, const Atoms& atoms, const ReferenceSites& sites);

}  // namespace wafermark::tungsten
