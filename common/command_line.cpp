#include "common/command_line.hpp"

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/version_text.hpp"

namespace wafermark {

int run_commands(int argc, char** argv, const std::string& name, const std::string& description,
                 const AddCommands& add_commands) {
  return run_program(argc, argv, [&](int count, char** words) {
    CLI::App app(description, name);
    app.set_version_flag("--version", version_text());
    app.require_subcommand(1);
    std::function<int()> action;
    add_commands(app, action);
    try {
      app.parse(count, words);
    } catch (const CLI::Success& help) {
      if (Communicator().is_root()) app.exit(help);
      return 0;
    } catch (const CLI::ParseError& wrong) {
      throw InputError(std::string(wrong.what()) + " (" + name + " --help lists what there is)");
    }
    return action();
  });
}

}  // namespace wafermark
