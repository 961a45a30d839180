#include "tools/kernel_clock/kernel_costs.hpp"

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <string>

#include "common/errors.hpp"

namespace wafermark {
namespace {

using Class = KernelKind::Class;

// Bytes that an item reads and writes, as the kernel's functor says: a vector has 24, an index or type 4, an
// id 8.
const std::map<std::string, KernelKind, std::less<>>& table() {
  static const std::map<std::string, KernelKind, std::less<>> kinds = {
      // the step
      {"kick_and_drift", {Class::streaming, 7 * 24 + 4 + 32}},
      {"kick", {Class::streaming, 3 * 24 + 4}},
      {"many_steps", {Class::unmeasured, 0}},  // simulated clusters refuse it
      {"place_sites", {Class::streaming, 24 + 32}},
      {"density", {Class::pairs, 0}},
      {"embedding", {Class::streaming, 5 * 8}},
      {"force", {Class::pairs, 0}},
      {"lennard_jones", {Class::plain_pairs, 0}},
      {"uf3_pairs", {Class::unmeasured, 0}},
      {"uf3_triplets", {Class::unmeasured, 0}},
      {"find_mirrors", {Class::unmeasured, 0}},
      {"collect_pulls", {Class::unmeasured, 0}},
      {"collect_forces", {Class::streaming, 32 + 24}},
      {"kinetic", {Class::streaming, 24 + 4}},
      {"langevin", {Class::streaming, 3 * 24 + 12}},
      {"stopping", {Class::streaming, 2 * 24 + 4}},
      {"longest_step", {Class::streaming, 2 * 24 + 4}},
      {"displacement", {Class::streaming, 2 * 24}},
      // ghosts
      {"pack_positions", {Class::streaming, 2 * 24 + 4 + 1}},
      {"ghost_positions", {Class::streaming, 2 * 24 + 4 + 1 + 32}},
      {"pack_slopes", {Class::streaming, 2 * 8 + 4 + 1}},
      {"ghost_slopes", {Class::streaming, 2 * 8 + 4 + 1}},
      {"choose_ghosts", {Class::streaming, 24 + 4}},
      {"list_ghost_routes", {Class::streaming, 4 + 4 + 1}},
      {"pack_atoms", {Class::streaming, 2 * 40 + 4 + 1}},
      {"ghost_atoms", {Class::streaming, 2 * 40 + 4 + 1}},
      // migration
      {"wrap_and_choose", {Class::streaming, 2 * 24}},
      {"pack_leavers", {Class::streaming, 2 * 64 + 4}},
      {"settle_atoms", {Class::streaming, 2 * 64 + 4}},
      {"count_both_sides", {Class::pairs, 0}},
      {"outside", {Class::streaming, 24 + 4}},
      {"collect_lost", {Class::streaming, 24 + 8}},
      // cells and lists
      {"occupied", {Class::streaming, 8}},
      {"count_cells", {Class::streaming, 24 + 8}},
      {"scan_cells", {Class::streaming, 8}},
      {"fill_cells", {Class::streaming, 12}},
      {"order_within_cell", {Class::streaming, 64}},
      {"permute", {Class::streaming, 2 * 60 + 4}},
      {"gather_positions", {Class::streaming, 2 * 24 + 12 + 4}},
      {"find_neighbours", {Class::search, 0}},
      {"look_at_chunks", {Class::streaming, 16 * (8 * 4 + 4) + 8}},
      {"extent", {Class::streaming, 24}},
      {"entries", {Class::bookkeeping, 0}},
      // before the first step
      {"draw_velocities", {Class::streaming, 24 + 12}},
      {"sum_mass", {Class::streaming, 4}},
      {"remove_momentum", {Class::streaming, 2 * 24}},
      {"scale_velocities", {Class::streaming, 2 * 24}},
      {"nearest_atom", {Class::streaming, 24}},
      {"lowest_id", {Class::streaming, 32}},
      {"index_of", {Class::streaming, 8}},
      {"swap_draws", {Class::streaming, 12}},
      {"swap_ids", {Class::streaming, 12}},
      {"type_range", {Class::streaming, 4}},
      {"hot_atoms", {Class::streaming, 2 * 24 + 4}},
      {"hottest_atom", {Class::streaming, 24 + 4}},
      // barostat; electrons: their cells, then their coupling to atoms
      {"stretch", {Class::streaming, 2 * 24}},
      {"electrons_take_in", {Class::streaming, 2 * 8}},
      {"electron_temperatures", {Class::streaming, 2 * 8}},
      {"fastest_exchange", {Class::streaming, 8}},
      {"exchange_heat", {Class::streaming, 3 * 8}},
      {"couple_electrons", {Class::streaming, 3 * 24 + 12 + 8}},
      // relaxation
      {"fire_accelerate", {Class::streaming, 3 * 24}},
      {"fire_back", {Class::streaming, 3 * 24}},
      {"fire_fastest", {Class::streaming, 24}},
      {"fire_mix", {Class::streaming, 3 * 24}},
      {"fire_move", {Class::streaming, 4 * 24}},
      {"fire_products", {Class::streaming, 2 * 24}},
      {"largest_force", {Class::streaming, 24}},
      // Llama: its items are bytes
      {"take rows", {Class::streaming, 1}},
      {"norm", {Class::streaming, 1}},
      {"arrange vectors", {Class::streaming, 1}},
      {"matrix x vectors", {Class::streaming, 1}},
      {"CSR matrix x vectors", {Class::streaming, 1}},
      {"rope", {Class::streaming, 1}},
      {"attention", {Class::streaming, 1}},
      {"merge attention", {Class::streaming, 1}},
      {"sum of squares", {Class::streaming, 1}},
      {"choose token", {Class::streaming, 1}},
      {"swiglu", {Class::streaming, 1}},
      {"count stored values", {Class::bookkeeping, 0}},
      {"store values", {Class::bookkeeping, 0}},
  };
  return kinds;
}

}  // namespace

const KernelKind& kernel_kind(std::string_view label) {
  const auto found = table().find(label);
  if (found == table().end())
    throw std::out_of_range(fmt::format(
        "kernel '{}': no cost is known, expected a row in tools/kernel_clock/kernel_costs.cpp", label));
  return found->second;
}

double kernel_seconds(const ClusterMachine& m, const KernelKind& kind, const KernelLoad& load) {
  const double candidates = load.items * load.candidates_per_atom;
  switch (kind.kind) {
    case Class::streaming:
      return m.kernel_floor + load.items * kind.bytes_per_item / m.bytes_per_second;
    case Class::pairs:
      // Few atoms: each has a thread of its own, which waits for memory once a neighbour. Many: the memory's
      // rate.
      return m.kernel_floor + load.candidates_per_atom * m.candidate_latency + load.items * m.per_atom +
             candidates * m.per_candidate;
    case Class::plain_pairs:
      return m.kernel_floor + load.candidates_per_atom * m.plain_latency + load.items * m.per_atom +
             candidates * m.plain_candidate;
    case Class::search:
      return m.kernel_floor + load.candidates_per_atom * m.plain_latency + candidates * m.search_candidate;
    case Class::bookkeeping:
      return 0.0;
    case Class::unmeasured:
      throw InputError(
          "potential.file: found a uf3 potential, expected an embedded-atom or a pair potential: "
          "what triplets cost the simulated machines has not been measured");
  }
  return 0.0;
}

double copy_seconds(const ClusterMachine& m, double bytes) {
  return m.kernel_floor + 2.0 * bytes / m.bytes_per_second;
}

double host_copy_seconds(const ClusterMachine& m, double bytes) {
  return m.host_copy + bytes / m.host_copy_rate;
}

}  // namespace wafermark
