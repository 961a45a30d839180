#include "tungsten_md/commands/info.hpp"

#include <fmt/format.h>

#include <memory>

#include "common/errors.hpp"
#include "common/machine_record.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/commands/deck_options.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/wafer/tile_plan.hpp"

namespace wafermark::tungsten {
namespace {

struct InfoOptions {
  std::string deck;
  DeckOptions options;
  bool keys = false;
};

/// A deck of nothing but what is required, read for the sake of its keys.
std::string keys() {
  Deck deck = Deck::parse(
      "[structure]\nlattice_constant_angstrom = 3.165\ncells = [1, 1, 1]\n[[pka]]\nenergy_ev = 1000\n",
      "keys");
  Case::read(deck);
  return deck.describe();
}

void print_build(const Communicator& comm) {
  const MachineRecord m = MachineRecord::of(comm);
  if (!comm.is_root()) return;
  fmt::print(
      "{}\ncompiler     {} {}\nkokkos       {}, {} ({} threads a rank), pair kernels {} values wide\n"
      "mpi          {}, {} ranks on {} hosts\ncpu          {}\n",
      version_line(), m.compiler, m.build_flags, m.kokkos_version, m.backend, m.threads_per_rank,
      Lanes<native_lanes<float, ExecSpace>>::width, m.mpi_library, m.ranks, m.hosts.size(), m.cpu_model);
}

int info(const InfoOptions& o) {
  const Communicator comm;
  if (o.deck.empty()) o.options.refuse_without_deck();
  if (o.keys) {
    if (comm.is_root()) fmt::print("{}", keys());
    return 0;
  }
  if (o.deck.empty()) {
    print_build(comm);
    return 0;
  }
  Deck deck = o.options.read(o.deck);
  const Case what = Case::read(deck);
  const PotentialTables potential = what.load_potential();
  if (o.options.target == "wafer") {
    const Communicator alone(MPI_COMM_SELF);
    const TilePlan plan = TilePlan::make(comm, what, starting_state(alone, what, potential), potential);
    if (comm.is_root()) fmt::print("{}\n{}", what.title, plan.describe());
    return 0;
  }
  const Configuration start = starting_state(comm, what, potential);
  const auto atoms = comm.sum(static_cast<std::int64_t>(start.atoms.size()));
  const CartesianGrid grid(comm, what.run.rank_grid,
                           {start.box.length(0), start.box.length(1), start.box.length(2)});
  const double density = static_cast<double>(atoms) / start.box.volume();
  const double radius = potential.cutoff_angstrom + what.run.skin_angstrom;
  const double neighbours = density * 4.18879 * radius * radius * radius;
  if (!comm.is_root()) return 0;
  fmt::print("{}\n", what.title);
  fmt::print("atoms             {}\n", atoms);
  fmt::print("box               {:.6g} x {:.6g} x {:.6g} Angstrom, {} {} {}\n", start.box.length(0),
             start.box.length(1), start.box.length(2), start.box.periodic[0] ? "periodic" : "open",
             start.box.periodic[1] ? "periodic" : "open", start.box.periodic[2] ? "periodic" : "open");
  fmt::print("potential         {}, cut-off {:.6g} Angstrom, {} radial points\n", potential.format,
             potential.cutoff_angstrom, potential.nr);
  fmt::print("potential file    {}\n", potential.source);
  fmt::print("neighbours        about {:.0f} within cut-off + skin, {:.5g} Angstrom\n", neighbours, radius);
  fmt::print("ranks             {} as {} x {} x {}, {:.0f} atoms each\n", comm.size(), grid.dims()[0],
             grid.dims()[1], grid.dims()[2], static_cast<double>(atoms) / comm.size());
  fmt::print("precision         {}, {} neighbour list\n", what.run.precision,
             what.run.neighbour_list == "auto" ? (best_list_kind() == ListKind::half ? "half" : "full")
                                               : what.run.neighbour_list.c_str());
  fmt::print("steps             at most {} of {:.4g} ps\n", what.run.steps, what.run.timestep_ps);
  return 0;
}

}  // namespace

void add_info_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("info", "What a deck will do; the keys of decks; this build");
  auto o = std::make_shared<InfoOptions>();
  auto* deck = command->add_option("deck", o->deck, "TOML file; without it: this build and machine");
  o->options.add_to(*command, {"cluster", "wafer"});
  command->add_flag("--keys", o->keys, "every key of a deck, its default and its meaning")->excludes(deck);
  command->callback([o, &action] { action = [o] { return info(*o); }; });
}

}  // namespace wafermark::tungsten
