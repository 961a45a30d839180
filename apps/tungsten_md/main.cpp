// tungsten_md: radiation damage in tungsten by embedded-atom molecular dynamics.
#include "common/command_line.hpp"
#include "tungsten_md/commands/campaign.hpp"
#include "tungsten_md/commands/defects.hpp"
#include "tungsten_md/commands/forces.hpp"
#include "tungsten_md/commands/info.hpp"
#include "tungsten_md/commands/potential.hpp"
#include "tungsten_md/commands/run.hpp"
#include "tungsten_md/commands/validate.hpp"

int main(int argc, char** argv) {
  using namespace wafermark;
  if (const auto ended = tungsten::hand_over_to_campaign(argc, argv)) return *ended;
  return run_commands(
      argc, argv, "tungsten_md",
      "Radiation damage in tungsten: embedded-atom molecular dynamics on a cluster or a wafer.",
      [](CLI::App& app, std::function<int()>& action) {
        tungsten::add_run_command(app, action);
        tungsten::add_forces_command(app, action);
        tungsten::add_defects_command(app, action);
        tungsten::add_potential_command(app, action);
        tungsten::add_info_command(app, action);
        tungsten::add_campaign_command(app, action);
        tungsten::add_validate_command(app, action);
      });
}
