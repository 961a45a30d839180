// A library for LD_PRELOAD that makes one call of a running program fail, or ends the process there: what a
// full disk, a dying node, a short allocation or a broken network does, at a place of choice.
//
//   FAULT_CALL   open | write | fsync | rename | close | allocate | mpi       what to count; of MPI calls
//   those that the
//                program itself makes
//   FAULT_K      the k-th such call (from 1) fails; 0: none, only count
//   FAULT_HOW    error (default) | kill (SIGKILL in place of the call) | full (this one and all after it
//   fail) FAULT_ERRNO  a number; default ENOSPC for files, ENOMEM for allocate FAULT_RANK   the rank that it
//   happens on; default 0 FAULT_PATH   files: only those whose path holds this text FAULT_BYTES  allocate:
//   only requests of at least so many bytes (default 1 MiB), and only those of the program, of
//                libstdc++ (operator new) and of Kokkos: MPI libraries do not survive it
//   FAULT_COUNT  a file to which the number of calls that were seen is written at the end
//
// It counts nothing in other processes of the job (mpirun, shells): only where the program's name is
// FAULT_PROGRAM.
#define OMPI_SKIP_MPICXX 1  // not the C++ bindings
#include <dlfcn.h>
#include <fcntl.h>
#include <mpi.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
extern char* program_invocation_short_name;
}

namespace {

struct Plan {
  const char *call, *path, *count_file;
  bool here, kill, full;
  long k;
  int error;
  std::size_t bytes;
};

const char* variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

const Plan& plan() {
  static const Plan p = [] {
    const char* rank = variable("OMPI_COMM_WORLD_RANK", variable("PMIX_RANK", variable("PMI_RANK", "0")));
    const char* how = variable("FAULT_HOW", "error");
    const char* call = variable("FAULT_CALL", "");
    const bool here = std::strcmp(rank, variable("FAULT_RANK", "0")) == 0 &&
                      std::strcmp(program_invocation_short_name, variable("FAULT_PROGRAM", "")) == 0;
    return Plan{call,
                variable("FAULT_PATH", ""),
                variable("FAULT_COUNT", ""),
                here,
                std::strcmp(how, "kill") == 0,
                std::strcmp(how, "full") == 0,
                std::atol(variable("FAULT_K", "0")),
                std::atoi(variable("FAULT_ERRNO", std::strcmp(call, "allocate") == 0 ? "12" : "28")),
                static_cast<std::size_t>(std::atoll(variable("FAULT_BYTES", "1048576")))};
  }();
  return p;
}

std::atomic<long> seen = 0;

/// Counts a call; whether it is the one that fails.
bool fails(const char* call) {
  const Plan& p = plan();
  if (!p.here || std::strcmp(p.call, call) != 0) return false;
  const long n = ++seen;
  const bool now = p.k > 0 && (p.full ? n >= p.k : n == p.k);
  if (now && p.kill) raise(SIGKILL);
  if (now) errno = p.error;
  return now;
}

/// The file name of the library or program that an address of code lies in.
const char* object_of(void* code) {
  Dl_info whose;
  if (!dladdr(code, &whose) || !whose.dli_fname) return "";
  const char* slash = std::strrchr(whose.dli_fname, '/');
  return slash ? slash + 1 : whose.dli_fname;
}

/// Whether a request for memory fails. `caller`: an address in the code that asks.
bool memory_fails(std::size_t bytes, void* caller) {
  if (bytes < (1 << 16) || bytes < plan().bytes || !plan().here || std::strcmp(plan().call, "allocate") != 0)
    return false;
  const char* name = object_of(caller);
  const bool ours = std::strcmp(name, program_invocation_short_name) == 0 || std::strstr(name, "libstdc++") ||
                    std::strstr(name, "libkokkos");
  return ours && fails("allocate");
}

/// Whether a call of MPI fails: one that the program itself makes, not the MPI or HDF5 library.
bool mpi_fails(void* caller) {
  return plan().here && std::strcmp(plan().call, "mpi") == 0 &&
         std::strcmp(object_of(caller), program_invocation_short_name) == 0 && fails("mpi");
}

bool path_fails(const char* call, const char* path) {
  return plan().here && path && std::strstr(path, plan().path) && fails(call);
}

/// Of a file descriptor; sockets and pipes have no such path.
bool descriptor_fails(const char* call, int fd) {
  if (!plan().here || std::strcmp(plan().call, call) != 0) return false;
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0 || path[0] != '/') return false;
  path[length] = '\0';
  return path_fails(call, path);
}

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

/// What the communicator's error handler makes of it, as MPI itself would ask it.
int broken(MPI_Comm comm) {
  MPI_Comm_call_errhandler(comm, MPI_ERR_OTHER);
  return MPI_ERR_OTHER;
}

struct AtEnd {
  ~AtEnd() {
    if (!plan().here || !*plan().count_file) return;
    if (FILE* out = std::fopen(plan().count_file, "w")) {
      std::fprintf(out, "%ld\n", seen.load());
      std::fclose(out);
    }
  }
} at_end;

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  static const auto real = next<int(const char*, int, ...)>("open");
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0;
  va_end(list);
  return path_fails("open", path) ? -1 : real(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  static const auto real = next<int(const char*, int, ...)>("open64");
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0;
  va_end(list);
  return path_fails("open", path) ? -1 : real(path, flags, mode);
}
FILE* fopen(const char* path, const char* mode) {
  static const auto real = next<FILE*(const char*, const char*)>("fopen");
  return path_fails("open", path) ? nullptr : real(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  static const auto real = next<FILE*(const char*, const char*)>("fopen64");
  return path_fails("open", path) ? nullptr : real(path, mode);
}
ssize_t write(int fd, const void* data, size_t bytes) {
  static const auto real = next<ssize_t(int, const void*, size_t)>("write");
  return descriptor_fails("write", fd) ? -1 : real(fd, data, bytes);
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t at) {
  static const auto real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return descriptor_fails("write", fd) ? -1 : real(fd, data, bytes, at);
}
ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t at) {
  static const auto real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return descriptor_fails("write", fd) ? -1 : real(fd, data, bytes, at);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  static const auto real = next<ssize_t(int, const iovec*, int)>("writev");
  return descriptor_fails("write", fd) ? -1 : real(fd, parts, count);
}
int fsync(int fd) {
  static const auto real = next<int(int)>("fsync");
  return descriptor_fails("fsync", fd) ? -1 : real(fd);
}
int fdatasync(int fd) {
  static const auto real = next<int(int)>("fdatasync");
  return descriptor_fails("fsync", fd) ? -1 : real(fd);
}
int close(int fd) {
  static const auto real = next<int(int)>("close");
  if (!descriptor_fails("close", fd)) return real(fd);
  const int error = errno;
  real(fd);  // as Linux does: the descriptor is gone, whatever close says
  errno = error;
  return -1;
}
int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int(const char*, const char*)>("rename");
  return path_fails("rename", to) ? -1 : real(from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static const auto real = next<int(int, const char*, int, const char*)>("renameat");
  return path_fails("rename", to) ? -1 : real(from_folder, from, to_folder, to);
}

void* malloc(size_t bytes) noexcept {
  return memory_fails(bytes, __builtin_return_address(0)) ? nullptr : __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) noexcept {
  return memory_fails(count * bytes, __builtin_return_address(0)) ? nullptr : __libc_calloc(count, bytes);
}
void* realloc(void* old, size_t bytes) noexcept {
  return memory_fails(bytes, __builtin_return_address(0)) ? nullptr : __libc_realloc(old, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  return memory_fails(bytes, __builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** at, size_t alignment, size_t bytes) noexcept {
  if (memory_fails(bytes, __builtin_return_address(0))) return ENOMEM;
  *at = __libc_memalign(alignment, bytes);
  return *at ? 0 : ENOMEM;
}

// The calls that programs of this project make; PMPI is the library itself.
int MPI_Allreduce(const void* a, void* b, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Allreduce(a, b, n, t, op, c);
}
int MPI_Reduce(const void* a, void* b, int n, MPI_Datatype t, MPI_Op op, int root, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Reduce(a, b, n, t, op, root, c);
}
int MPI_Bcast(void* a, int n, MPI_Datatype t, int root, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Bcast(a, n, t, root, c);
}
int MPI_Barrier(MPI_Comm c) { return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Barrier(c); }
int MPI_Allgather(const void* a, int n, MPI_Datatype t, void* b, int m, MPI_Datatype u, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Allgather(a, n, t, b, m, u, c);
}
int MPI_Allgatherv(const void* a, int n, MPI_Datatype t, void* b, const int m[], const int d[],
                   MPI_Datatype u, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Allgatherv(a, n, t, b, m, d, u, c);
}
int MPI_Gather(const void* a, int n, MPI_Datatype t, void* b, int m, MPI_Datatype u, int root, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Gather(a, n, t, b, m, u, root, c);
}
int MPI_Gatherv(const void* a, int n, MPI_Datatype t, void* b, const int m[], const int d[], MPI_Datatype u,
                int root, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Gatherv(a, n, t, b, m, d, u, root, c);
}
int MPI_Alltoall(const void* a, int n, MPI_Datatype t, void* b, int m, MPI_Datatype u, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Alltoall(a, n, t, b, m, u, c);
}
int MPI_Alltoallv(const void* a, const int n[], const int d[], MPI_Datatype t, void* b, const int m[],
                  const int e[], MPI_Datatype u, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Alltoallv(a, n, d, t, b, m, e, u, c);
}
int MPI_Exscan(const void* a, void* b, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Exscan(a, b, n, t, op, c);
}
int MPI_Isend(const void* a, int n, MPI_Datatype t, int to, int tag, MPI_Comm c, MPI_Request* r) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Isend(a, n, t, to, tag, c, r);
}
int MPI_Irecv(void* a, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Request* r) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Irecv(a, n, t, from, tag, c, r);
}
int MPI_Send(const void* a, int n, MPI_Datatype t, int to, int tag, MPI_Comm c) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Send(a, n, t, to, tag, c);
}
int MPI_Recv(void* a, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status* s) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c) : PMPI_Recv(a, n, t, from, tag, c, s);
}
int MPI_Sendrecv(const void* a, int n, MPI_Datatype t, int to, int tag, void* b, int m, MPI_Datatype u,
                 int from, int other, MPI_Comm c, MPI_Status* s) {
  return mpi_fails(__builtin_return_address(0)) ? broken(c)
                                                : PMPI_Sendrecv(a, n, t, to, tag, b, m, u, from, other, c, s);
}
int MPI_Wait(MPI_Request* r, MPI_Status* s) {
  return mpi_fails(__builtin_return_address(0)) ? broken(MPI_COMM_WORLD) : PMPI_Wait(r, s);
}
int MPI_Waitall(int n, MPI_Request r[], MPI_Status s[]) {
  return mpi_fails(__builtin_return_address(0)) ? broken(MPI_COMM_WORLD) : PMPI_Waitall(n, r, s);
}

}  // extern "C"
