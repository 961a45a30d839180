// A library for LD_PRELOAD in whose programs one MPI call fails on one rank, as a broken network would make
// it: WAFERMARK_FAIL_MPI="MPI_Sendrecv:12:1" lets the twelfth call on rank 1 return an error without doing
// anything.
#include <mpi.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace {

/// Whether this call is the one that fails.
bool fails(const char* name) {
  static const char* wanted = std::getenv("WAFERMARK_FAIL_MPI");
  if (wanted == nullptr) return false;
  static const std::string text(wanted);
  static const auto first = text.find(':'), second = text.find(':', first + 1);
  static const std::string call = text.substr(0, first);
  static const long number = std::stol(text.substr(first + 1)), rank = std::stol(text.substr(second + 1));
  static long calls = 0;
  if (call != name || ++calls != number) return false;
  int mine = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &mine);
  return mine == rank;
}

}  // namespace

extern "C" {

int MPI_Sendrecv(const void* out, int n_out, MPI_Datatype out_type, int to, int out_tag, void* in, int n_in,
                 MPI_Datatype in_type, int from, int in_tag, MPI_Comm comm, MPI_Status* status) {
  if (fails("MPI_Sendrecv")) return MPI_ERR_OTHER;
  return PMPI_Sendrecv(out, n_out, out_type, to, out_tag, in, n_in, in_type, from, in_tag, comm, status);
}
int MPI_Isend(const void* out, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request* request) {
  if (fails("MPI_Isend")) return MPI_ERR_OTHER;
  return PMPI_Isend(out, n, type, to, tag, comm, request);
}
int MPI_Irecv(void* in, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request* request) {
  if (fails("MPI_Irecv")) return MPI_ERR_OTHER;
  return PMPI_Irecv(in, n, type, from, tag, comm, request);
}
int MPI_Waitall(int n, MPI_Request* requests, MPI_Status* statuses) {
  if (fails("MPI_Waitall")) return MPI_ERR_OTHER;
  return PMPI_Waitall(n, requests, statuses);
}
int MPI_Allreduce(const void* in, void* out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  if (fails("MPI_Allreduce")) return MPI_ERR_OTHER;
  return PMPI_Allreduce(in, out, n, type, op, comm);
}
int MPI_Alltoallv(const void* out, const int* out_n, const int* out_at, MPI_Datatype out_type, void* in,
                  const int* in_n, const int* in_at, MPI_Datatype in_type, MPI_Comm comm) {
  if (fails("MPI_Alltoallv")) return MPI_ERR_OTHER;
  return PMPI_Alltoallv(out, out_n, out_at, out_type, in, in_n, in_at, in_type, comm);
}
int MPI_Bcast(void* values, int n, MPI_Datatype type, int root, MPI_Comm comm) {
  if (fails("MPI_Bcast")) return MPI_ERR_OTHER;
  return PMPI_Bcast(values, n, type, root, comm);
}
int MPI_Comm_dup(MPI_Comm from, MPI_Comm* to) {
  if (fails("MPI_Comm_dup")) return MPI_ERR_OTHER;
  return PMPI_Comm_dup(from, to);
}
int MPI_File_write_at_all(MPI_File file, MPI_Offset at, const void* values, int n, MPI_Datatype type,
                          MPI_Status* status) {
  const int code = PMPI_File_write_at_all(file, at, values, n, type, status);
  return fails("MPI_File_write_at_all") ? MPI_ERR_OTHER : code;
}

}  // extern "C"
