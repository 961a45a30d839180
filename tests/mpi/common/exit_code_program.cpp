// A program that ends as its arguments say, for test_exit_codes.sh and test_failure_messages.sh: "all|one HOW
// [writing|appending|reading FILE [N]]": with a file open, or with none; the N-th all-reduce of ours fails
// while the file is opened.
#include <Kokkos_Core.hpp>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/hdf5_file.hpp"

namespace {

using namespace wafermark;

MPI_Comm failing_in = MPI_COMM_NULL;
int calls_until_failure = 0;

/// A file as `how` says, with an array in it.
Hdf5File open_file(const Communicator& comm, const std::string& how, const std::string& path) {
  const Rows rows = Rows::of(comm, 2);
  const auto made = [&] {
    Hdf5File file = Hdf5File::create(comm, path);
    file.append_frame("/v", std::vector<double>(2, 1.0), rows, 0);
    return file;
  };
  if (how == "writing") return made();
  made().commit();
  if (how == "reading") return Hdf5File::open(comm, path);
  Hdf5File file = Hdf5File::open_to_append(comm, path);
  file.append_frame("/v", std::vector<double>(2, 2.0), rows, 0);
  return file;
}

}  // namespace

int MPI_Allreduce(const void* a, void* b, int n, MPI_Datatype t, MPI_Op op, MPI_Comm comm) {
  if (comm == failing_in && --calls_until_failure == 0) return MPI_ERR_OTHER;
  return PMPI_Allreduce(a, b, n, t, op, comm);
}

int main(int argc, char** argv) {
  return run_program(argc, argv, [](int n, char** words) {
    const Communicator comm;
    const Communicator second;
    const std::string who = n > 1 ? words[1] : "all", how = n > 2 ? words[2] : "good";
    std::optional<Hdf5File> file;
    const bool mine = who == "all" || comm.rank() == comm.size() - 1;
    if (mine && n > 5) {
      failing_in = comm.raw();
      calls_until_failure = std::stoi(words[5]);
    }
    if (n > 4) file.emplace(open_file(comm, words[3], words[4]));
    if (mine && how == "input") throw InputError("deck.toml:3: found a, expected b");
    if (mine && how == "check") throw CheckFailure("energy: 1, expected 0 +- 0.1");
    if (mine && how == "defect") throw std::runtime_error("atoms lost");
    if (mine && how == "escapes") throw InputError("found 'a\nb\x1b[31m', expected b");
    if (mine && how == "silent") throw std::runtime_error("");
    if (mine && how == "memory") throw std::bad_alloc();
    if (mine && how == "array") std::vector<double>().resize(std::size_t{1} << 62);
    if (mine && how == "view") Kokkos::View<double*, Kokkos::HostSpace>("neighbours", std::size_t{1} << 50);
    if (mine && how == "map") std::map<int, int>().at(3);
    if (mine && how == "unknown") throw 3;
    if (mine && how == "mixture") {
      if (comm.is_root()) throw std::runtime_error("a consequence");
      throw InputError("the cause");
    }
    comm.barrier();
    return 0;
  });
}
