// All targets on their seeds, on every seed cut at some places and on seeds with a few bytes changed: a check
// that they build and work, without a fuzzer, and a small part of what it would find.
//   fuzz_replay [--changes N] [--only NAME] [FILE...]        FILEs are inputs of the target NAME, as
//   libFuzzer leaves them
#include <mpi.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <Kokkos_Core.hpp>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

#include "common/mpi_start.hpp"
#include "tests/fuzz/target.hpp"

extern "C" __attribute__((weak)) void __asan_init();  // there in a build with the address sanitizer

namespace {

using namespace wafermark;

/// For one input, on a busy machine; HDF5 that loops is ended after 20 seconds of processor time.
constexpr unsigned patience_seconds = 200;
constexpr rlim_t most_memory = rlim_t{4} << 30;

struct Options {
  int changes = 100;
  std::string only;
  std::vector<std::string> files;
};

Options read_options(int argc, char** argv) {
  Options o;
  for (int k = 1; k < argc; ++k) {
    const std::string_view word = argv[k];
    if (word == "--changes" && k + 1 < argc)
      o.changes = std::atoi(argv[++k]);
    else if (word == "--only" && k + 1 < argc)
      o.only = argv[++k];
    else
      o.files.emplace_back(word);
  }
  return o;
}

/// A few bytes replaced, removed or doubled.
std::string changed(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t k = 1 + below(4); k > 0 && !text.empty(); --k) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text[at] = "0-9e.\n \"[{"[below(10)];
        break;
      case 2:
        text.erase(at, 1 + below(16));
        break;
      case 3:
        text.insert(at, text.substr(below(text.size()), 1 + below(64)));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

void replay(const fuzz::Target& target, const Options& o, const Communicator& comm) {
  const fuzz::Trial trial(target);
  std::mt19937_64 random(19);
  long taken = 0, refused = 0;
  const auto attempt = [&](const std::string& input) {
    alarm(patience_seconds);
    const auto refusal = trial.refusal(comm, input);
    alarm(0);
    ++(refusal ? refused : taken);
    return refusal;
  };
  for (const std::string& file : o.files)
    std::printf("%s: %s\n", file.c_str(), attempt(fuzz::bytes_of(file)).value_or("taken").c_str());
  const auto seeds = o.files.empty() ? target.seeds(comm, trial.folder()) : std::vector<std::string>{};
  for (const std::string& seed : seeds) {
    if (const auto refusal = attempt(seed)) {
      std::fprintf(stderr, "%s: a seed was refused: %s\n", target.name.c_str(), refusal->c_str());
      std::exit(1);
    }
    for (int k = 0; k < o.changes / 4; ++k) attempt(seed.substr(0, random() % (seed.size() + 1)));
    for (int k = 0; k < o.changes; ++k) attempt(changed(seed, random));
  }
  std::printf("%-20s %5ld taken, %5ld refused\n", target.name.c_str(), taken, refused);
  std::fflush(stdout);
}

/// The address sanitizer maps more than any limit for itself, and has one of its own.
void limit_memory() {
  if (__asan_init != nullptr) return;
  const rlimit limit{most_memory, most_memory};
  setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  wafermark::start_mpi(&argc, &argv);
  {
    const Kokkos::ScopeGuard kokkos;
    const Options o = read_options(argc, argv);
    limit_memory();
    const Communicator comm;
    int found = 0;
    for (const auto& target : fuzz::targets())
      if (o.only.empty() || o.only == target.name) {
        ++found;
        replay(target, o, comm);
      }
    if (found == 0) std::fprintf(stderr, "fuzz_replay: no target %s\n", o.only.c_str());
    if (found == 0) return 2;
  }
  MPI_Finalize();
  return 0;
}
