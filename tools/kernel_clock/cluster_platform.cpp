// cluster_platform --workers MACHINE [CHANGE...]: checks a machine file and prints the workers of a node.
// cluster_platform MACHINE RANKS FOLDER [CHANGE...]: checks a machine file and writes what smpirun needs for
// so many ranks: FOLDER/platform.xml, FOLDER/hosts, FOLDER/options (of SimGrid), FOLDER/deck (settings),
// FOLDER/platform.txt.
#include <fmt/format.h>

#include <string_view>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/number_range.hpp"
#include "common/plain_program.hpp"
#include "common/printable.hpp"
#include "tools/kernel_clock/platform.hpp"

namespace {

using namespace wafermark;

int print_workers(int argc, char** argv) {
  if (argc < 3) throw InputError("found no machine file behind --workers");
  fmt::print("{}\n", ClusterMachine::read(argv[2], {argv + 3, argv + argc}).workers_per_node);
  return 0;
}

int write_all(int argc, char** argv) {
  if (argc < 4)
    throw InputError("found too few words, expected cluster_platform MACHINE RANKS FOLDER [CHANGE...]");
  const auto machine = ClusterMachine::read(argv[1], {argv + 4, argv + argc});
  const auto ranks = parse_whole_number(argv[2]);
  if (!ranks || *ranks < 1 || *ranks > 1'000'000)
    throw InputError(fmt::format("ranks '{}': expected a whole number from 1 to 1000000", excerpt(argv[2])));
  const int n = static_cast<int>(*ranks),
            nodes = (n + machine.workers_per_node - 1) / machine.workers_per_node;
  const std::string folder = argv[3];
  std::string settings;
  for (const std::string& s : machine.deck_settings) settings += s + "\n";
  write_text_file(folder + "/platform.xml", platform_xml(machine, nodes));
  write_text_file(folder + "/hosts", host_list(machine, n));
  write_text_file(folder + "/options", simgrid_options(machine));
  write_text_file(folder + "/deck", settings);
  write_text_file(folder + "/platform.txt", platform_text(machine, nodes) + "\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_plain_program("cluster_platform", [&] {
    const bool only_workers = argc > 1 && std::string_view(argv[1]) == "--workers";
    return only_workers ? print_workers(argc, argv) : write_all(argc, argv);
  });
}
