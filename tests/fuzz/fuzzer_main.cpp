// The target FUZZ_TARGET under libFuzzer. FUZZ_SEEDS=FOLDER: writes its seeds there and ends.
#include <mpi.h>

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "common/mpi_start.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace wafermark;

const fuzz::Target& target() {
  const char* name = std::getenv("FUZZ_TARGET");
  for (const fuzz::Target& one : fuzz::targets())
    if (name && one.name == name) return one;
  std::fprintf(stderr, "fuzz_reader: FUZZ_TARGET=%s: no such target\n", name ? name : "");
  std::exit(2);
}

const fuzz::Trial& trial() {
  static const fuzz::Trial the_one(target());
  return the_one;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  wafermark::start_mpi(argc, argv);
  Kokkos::initialize();
  if (const char* folder = std::getenv("FUZZ_SEEDS")) {
    int number = 0;
    for (const std::string& seed : target().seeds(Communicator(), trial().folder()))
      std::ofstream(std::string(folder) + "/seed" + std::to_string(number++), std::ios::binary) << seed;
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Communicator comm;
  trial().refusal(comm, std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
