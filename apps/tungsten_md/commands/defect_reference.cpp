#include "tungsten_md/commands/defect_reference.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "tungsten_md/analysis/fitted_lattice.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"
#include "tungsten_md/analysis/stored_sites.hpp"
#include "tungsten_md/commands/start_state.hpp"

namespace wafermark::tungsten {
namespace {

/// What deck and potential say of the crystal; none where they name no lattice that we know.
std::optional<LatticeHints> hints_of(const ReferenceSettings& r, const PotentialTables::Element& element) {
  const std::string& kind = r.lattice.empty() ? element.lattice : r.lattice;
  if (kind != "sc" && kind != "bcc" && kind != "fcc") return std::nullopt;
  return LatticeHints{lattice_kind(kind, "structure.lattice"), r.a, r.cells, {}};
}

std::optional<Lattice> crystal_of_file(const Communicator& comm, const ReferenceSettings& r,
                                       const PotentialTables& potential, const Configuration& start) {
  const auto& element = potential.elements.front();
  const auto hints = hints_of(r, element);
  if (!hints) return std::nullopt;
  if (r.a > 0.0 || r.cells[0] > 0) return fitted_lattice(comm, *hints, start, "structure.lattice");
  const double a = element.lattice_constant_angstrom;
  return a > 0.0 ? recognised_crystal(comm, hints->kind, a, start) : std::nullopt;
}

}  // namespace

std::unique_ptr<ReferenceSites> defect_reference(const Communicator& comm, const Case& what,
                                                 const PotentialTables& potential,
                                                 const Configuration* known_start) {
  if (!what.counts_defects()) return nullptr;
  const StructureSettings& s = what.structure;
  if (s.lattice) return std::make_unique<LatticeSites>(*s.lattice, s.lattice->box(s.periodic));
  const std::string& source = s.reference.source;
  if (source != "auto" && source != "crystal" && source != "start")
    return std::make_unique<StoredSites>(comm, stored_state(comm, source, s.periodic, potential));
  const Configuration start = known_start ? *known_start : starting_state(comm, what, potential);
  if (source == "start") return std::make_unique<StoredSites>(comm, start);
  if (const auto lattice = crystal_of_file(comm, s.reference, potential, start))
    return std::make_unique<LatticeSites>(*lattice, start.box);
  if (source == "crystal")
    throw InputError(
        fmt::format("structure.reference: found no crystal of the potential in {}, expected "
                    "structure.lattice and structure.lattice_constant_angstrom or structure.cells",
                    s.file));
  if (comm.is_root())
    fmt::print(
        stderr,
        "note: {} is no crystal of the potential with a few defects: defects are counted against where "
        "its atoms begin (structure.reference says otherwise)\n",
        s.file);
  return std::make_unique<StoredSites>(comm, start);
}

}  // namespace wafermark::tungsten
