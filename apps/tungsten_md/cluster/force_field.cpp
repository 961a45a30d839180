#include "tungsten_md/cluster/force_field.hpp"

#include <stdexcept>

#include "common/errors.hpp"
#include "tungsten_md/cluster/eam_force_field.hpp"
#include "tungsten_md/cluster/lennard_jones_force_field.hpp"
#include "tungsten_md/cluster/uf3_force_field.hpp"

namespace wafermark::tungsten {

std::unique_ptr<ForceField> make_force_field(const PotentialTables& potential, const std::string& precision) {
  if (precision != "double" && precision != "mixed")
    throw InputError("precision '" + precision + "': expected \"double\" or \"mixed\"");
  if (potential.lennard_jones) return make_lennard_jones_field(*potential.lennard_jones, precision);
  if (potential.uf3) return make_uf3_field(*potential.uf3, precision);
  return make_eam(potential, precision);
}

StepsMade ForceField::make_steps(const StepOfRank&, const StepsAsked&, const VerletList&,
                                 const GhostExchange&) {
  throw std::logic_error("this potential has no kernel of many steps");
}
StepGraph ForceField::graph_of(const StepOfRank&, const VerletList&, const GhostExchange&) {
  throw std::logic_error("this potential has no graph of a step");
}

ListKind best_list_kind() {
  return host_reads_device && ExecSpace().concurrency() == 1 ? ListKind::half : ListKind::full;
}
bool suits_machine(ListKind kind) { return kind == ListKind::full || kind == best_list_kind(); }

}  // namespace wafermark::tungsten
