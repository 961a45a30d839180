// NCCL as nccl_sums.cpp calls it, in host memory, by MPI over all ranks of the program. The call that
// FAKE_NCCL_FAILS names answers "invalid usage".
#include <mpi.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {
constexpr int success = 0, invalid_argument = 4, invalid_usage = 5;
constexpr char of_the_root[] = "made by rank 0 for all";
struct Id {
  char internal[128];
};
int made = 0;  // communicators that live

bool fails(std::string_view call) {
  const char* named = std::getenv("FAKE_NCCL_FAILS");
  return named != nullptr && call == named;
}
int rank_here() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}
}  // namespace

extern "C" {
int ncclGetVersion(int* version) {
  *version = 22809;
  return success;
}
int ncclGetUniqueId(Id* id) {
  if (fails("ncclGetUniqueId")) return invalid_usage;
  std::memset(id->internal, rank_here(), sizeof id->internal);
  if (rank_here() == 0) std::memcpy(id->internal, of_the_root, sizeof of_the_root);
  return success;
}
int ncclCommInitRank(void** comm, int ranks, Id id, int rank) {
  if (fails("ncclCommInitRank")) return invalid_usage;
  int all = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &all);
  if (ranks != all || rank != rank_here() || std::strcmp(id.internal, of_the_root) != 0)
    return invalid_argument;
  ++made;
  *comm = &made;
  return success;
}
int ncclAllReduce(const void* from, void* to, std::size_t n, int type, int operation, void* comm, void*) {
  if (fails("ncclAllReduce")) return invalid_usage;
  if (from != to || type != 7 || operation != 0 || comm != &made) return invalid_argument;
  return MPI_Allreduce(MPI_IN_PLACE, to, static_cast<int>(n), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}
int ncclCommDestroy(void*) {
  --made;
  return MPI_Barrier(MPI_COMM_WORLD);  // collective, as the true one may be
}
int ncclCommAbort(void*) {
  --made;
  return success;
}
const char* ncclGetErrorString(int code) {
  return code == invalid_usage ? "invalid usage" : "invalid argument";
}

/// Of the fake alone.
int fake_nccl_communicators() { return made; }
}
