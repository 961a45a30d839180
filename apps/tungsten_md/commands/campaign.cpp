#include "tungsten_md/commands/campaign.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "common/cpu_levels.hpp"
#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

constexpr const char* campaign_word = "campaign";

/// This program, wherever it was found; of a portable build its launcher, which other nodes need.
std::filesystem::path this_program() {
  std::error_code none;
  return launcher_of(std::filesystem::read_symlink("/proc/self/exe", none));
}

/// Of the prefix that the program is installed in, else of the source that it was built from.
std::filesystem::path campaign_script(const std::filesystem::path& program) {
  const auto installed = program.parent_path().parent_path() / "share/wafermark/jobscripts/campaign.py";
  std::error_code none;
  return std::filesystem::exists(installed, none) ? installed : WAFERMARK_JOBSCRIPTS_SOURCE "/campaign.py";
}

int refuse(const std::string& why) {
  fmt::print(stderr, "tungsten_md: campaign: {}\n", why);
  return 2;
}

}  // namespace

std::optional<int> hand_over_to_campaign(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], campaign_word) != 0) return std::nullopt;
  for (const char* rank : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"})
    if (std::getenv(rank) != nullptr)
      return refuse("found a rank of an MPI job, expected no mpirun: --ranks says how many each run gets");
  const std::string program = this_program().string(), script = campaign_script(program).string();
  const char* python = std::getenv("WAFERMARK_PYTHON");
  std::vector<std::string> words{script, "--binary", program};
  if (python != nullptr && *python != '\0') words.insert(words.begin(), python);
  words.insert(words.end(), argv + 2, argv + argc);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments.front(), arguments.data());
  return refuse(fmt::format("{}: {}, expected the script of the installed or built source", words.front(),
                            std::strerror(errno)));
}

void add_campaign_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand(
      campaign_word,
      "Run a deck over energies, directions, temperatures and seeds, or search for threshold "
      "energies (jobscripts/campaign.py; campaign --help)");
  command->callback([&action] {
    action = []() -> int {
      throw InputError("campaign: found options before it, expected it as first word");
    };
  });
}

}  // namespace wafermark::tungsten
