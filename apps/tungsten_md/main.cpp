// tungsten_md: radiation damage in tungsten by embedded-atom molecular dynamics.
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/machine_record.hpp"
#include "tungsten_md/commands/defects.hpp"
#include "tungsten_md/commands/forces.hpp"
#include "tungsten_md/commands/info.hpp"
#include "tungsten_md/commands/potential.hpp"
#include "tungsten_md/commands/run.hpp"
#include "tungsten_md/commands/validate.hpp"

int main(int argc, char** argv) {
  using namespace wafermark;
  return run_program(argc, argv, [](int count, char** words) {
    CLI::App app("Radiation damage in tungsten: embedded-atom molecular dynamics on a cluster or a wafer.",
                 "tungsten_md");
    app.set_version_flag("--version", version_line());
    app.require_subcommand(1);
    std::function<int()> action;
    tungsten::add_run_command(app, action);
    tungsten::add_forces_command(app, action);
    tungsten::add_defects_command(app, action);
    tungsten::add_potential_command(app, action);
    tungsten::add_info_command(app, action);
    tungsten::add_validate_command(app, action);
    try {
      app.parse(count, words);
    } catch (const CLI::Success& help) {
      if (Communicator().is_root()) app.exit(help);
      return 0;
    } catch (const CLI::ParseError& wrong) {
      throw InputError(std::string(wrong.what()) + " (tungsten_md --help lists what there is)");
    }
    return action();
  });
}
