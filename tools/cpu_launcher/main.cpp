// Stands in a portable build where its programs are expected, bin/tungsten_md and bin/sparse_llama, and
// becomes the program of the best CPU level that was built and that this CPU runs (common/cpu_levels.hpp),
// with the same arguments. Built for the oldest x86-64. Exit code 2 where there is nothing to become.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "common/cpu_levels.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"

namespace {

using namespace wafermark;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Comes back by an exception only.
void become_the_program(char** argv) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string level =
      choose_cpu_level(names_in_list(WAFERMARK_CPU_LEVELS), variable(cpu_level_variable), runs_cpu_level);
  const std::filesystem::path program = program_of_cpu_level(self, level);
  execv(program.c_str(), argv);
  throw InputError(program.string() + ": " + std::strerror(errno) + ", expected the program for " + level +
                   " of this build");
}

/// Of a job whose ranks all fail alike, rank 0 speaks and mpirun ends the others; one that fails alone speaks
/// a moment later.
void let_rank_0_speak() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "FLUX_TASK_RANK", "SLURM_PROCID"})
    if (const std::string rank = variable(name); !rank.empty()) {
      if (rank != "0") sleep(3);
      return;
    }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    become_the_program(argv);
  } catch (const std::exception& wrong) {
    let_rank_0_speak();
    const std::string name = std::filesystem::path(argc > 0 ? argv[0] : "wafermark").filename();
    std::fprintf(stderr, "%s: %s\n", name.c_str(), printable(wrong.what()).c_str());
  }
  return 2;
}
