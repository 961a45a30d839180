#include "common/command_line.hpp"

#include <fmt/format.h>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"
#include "common/version_text.hpp"

namespace wafermark {
namespace {

/// What is wrong with the words; of a first word that is no command CLI11 says only that one is missing.
std::string problem(CLI::App& app, const CLI::ParseError& wrong, int count, char** words) {
  const bool command_given = count > 1 && words[1][0] != '-';
  if (!command_given || !app.get_subcommands().empty()) return wrong.what();
  std::string known;
  for (const CLI::App* command : app.get_subcommands({}))
    known += (known.empty() ? "" : ", ") + command->get_name();
  return fmt::format("found '{}', expected one of {}", excerpt(words[1]), known);
}

}  // namespace

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
      throw InputError(
          fmt::format("{} ({} --help lists what there is)", problem(app, wrong, count, words), name));
    }
    return action();
  });
}

}  // namespace wafermark
