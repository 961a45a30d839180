#include "tungsten_md/commands/forces.hpp"

#include <fmt/format.h>

#include <memory>

#include "common/errors.hpp"
#include "common/folder_lock.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/cluster/domain.hpp"
#include "tungsten_md/commands/model_options.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/io/lammps_dump.hpp"
#include "tungsten_md/model/potential_file.hpp"

namespace wafermark::tungsten {
namespace {

struct ForcesOptions {
  std::string state, potential, format = "auto", precision = "double", out, target = "cluster", list = "auto";
  std::vector<std::string> elements, boundary{"periodic", "periodic", "periodic"};
  double skin = 0.5;
  ModelOptions model;
};

PotentialTables potential_of(const ForcesOptions& o) {
  if (o.potential.empty() != o.model.given())
    throw InputError("tungsten_md forces: expected --potential or --model, one of them");
  o.model.check();
  return o.model.given() ? o.model.make(o.elements) : read_potential(o.potential, o.format, o.elements);
}

std::array<bool, 3> periodic_axes(const std::vector<std::string>& words) {
  std::array<bool, 3> periodic{};
  for (std::size_t d = 0; d < 3; ++d) {
    if (words[d] != "periodic" && words[d] != "open")
      throw InputError(fmt::format("--boundary {}: expected periodic or open", words[d]));
    periodic[d] = words[d] == "periodic";
  }
  return periodic;
}

int evaluate(const ForcesOptions& o) {
  const Communicator comm;
  prepare_output_directory(comm, o.out);
  const FolderLock lock(comm, o.out, "--out");
  Result result(comm, "tungsten_md", "forces", o.target);
  const PotentialTables potential = potential_of(o);
  const Configuration state = stored_state(comm, o.state, periodic_axes(o.boundary), potential);

  RegionTimes times;
  DomainSettings settings;
  settings.precision = o.precision;
  settings.skin_angstrom = o.skin;
  if (o.list != "auto") settings.list = o.list == "half" ? ListKind::half : ListKind::full;
  Domain domain(comm, state, potential, settings, times);
  result.begin(comm, o.out);
  const EnergyVirial share = domain.compute_forces_and_energy();

  Configuration out = state;
  out.atoms = domain.atoms_on_host();
  const auto forces = domain.forces_on_host();
  write_lammps_dump(comm, o.out + "/forces.dump", out, &forces, {false, false});

  result.add_figure("atoms", static_cast<double>(domain.atoms()), "");
  result.add_figure("energy_ev", comm.sum(share.energy), "eV");
  const char* names[] = {"virial_xx_ev", "virial_yy_ev", "virial_zz_ev",
                         "virial_xy_ev", "virial_xz_ev", "virial_yz_ev"};
  for (std::size_t k = 0; k < 6; ++k) result.add_figure(names[k], comm.sum(share.virial[k]), "eV");
  result.set_regions(times.reduce(comm));
  result.set_section("forces", {{"state", o.state},
                                {"potential", potential.source},
                                {"file", "forces.dump"},
                                {"precision", o.precision}});
  result.write(comm, o.out);
  for (const std::string& note : state.notes) fmt::print(stderr, "note: {}\n", note);
  if (comm.is_root())
    fmt::print("{}forces: {}/forces.dump\nresult: {}/result.json\n", result.summary(), o.out, o.out);
  return 0;
}

}  // namespace

void add_forces_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("forces", "Energy, virial and forces of one configuration");
  auto o = std::make_shared<ForcesOptions>();
  command->add_option("state", o->state, "LAMMPS data or dump, extended XYZ or H5MD file (the first frame)")
      ->required()
      ->check(not_empty("a data or dump file"));
  command->add_option("--potential", o->potential, "setfl, eam/fs, eam/he, funcfl or uf3 file");
  o->model.add_to(*command);
  command->add_option("--format", o->format, "auto, eam/alloy, eam/fs, eam/he, funcfl or uf3")
      ->capture_default_str();
  command->add_option("--elements", o->elements, "element of each atom type, as W,H,He")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--boundary", o->boundary,
                   "of LAMMPS data files: periodic or open, for x, y and z (others have their own)")
      ->expected(3)
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--precision", o->precision, "double or mixed")
      ->check(one_of({"double", "mixed"}))
      ->capture_default_str();
  command->add_option("--neighbour-list", o->list, "auto, half or full")
      ->check(one_of({"auto", "half", "full"}))
      ->capture_default_str();
  command->add_option("--skin", o->skin, "Verlet skin, Angstrom")
      ->check(number_in({0, 1e3, true}))
      ->capture_default_str();
  command->add_option("--target", o->target, "cluster")->check(one_of({"cluster"}))->capture_default_str();
  command->add_option("--out", o->out, "folder for forces.dump and result.json")
      ->required()
      ->check(not_empty("a folder"));
  command->callback([o, &action] { action = [o] { return evaluate(*o); }; });
}

}  // namespace wafermark::tungsten
