#include "common/write_watch.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "common/printable.hpp"

namespace wafermark {
namespace {

/// Long beside what healthy ranks need to reach the agreement; the run is lost in any case.
constexpr double patience_seconds = 5.0;
/// Later on higher ranks, so that one rank speaks for all.
constexpr double more_seconds_a_rank = 0.2, most_more_seconds = 5.0;

struct Watch {
  std::mutex mutex;
  std::condition_variable settled;
  bool failed = false;
  int rank = 0, size = 1;
  std::map<MPI_File, std::string> names;
};

/// Never destroyed: a thread may wait on it while the program ends.
Watch& watch() {
  static auto* const w = new Watch;
  return *w;
}

void wait_and_abort(const std::string& message) {
  Watch& w = watch();
  const double more = std::min(more_seconds_a_rank * w.rank, most_more_seconds);
  {
    std::unique_lock lock(w.mutex);
    const std::chrono::duration<double> patience(patience_seconds + more);
    if (w.settled.wait_for(lock, patience, [&] { return !w.failed; })) return;
  }
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, message.c_str());
  std::fflush(stderr);
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::_Exit(1);
}

/// With the lock held: starts to wait for the agreement.
void await_agreement(Watch& w, const std::string& message) {
  if (w.failed) return;
  w.failed = true;
  const std::string line = fmt::format("rank {} of {}: {}", w.rank, w.size, message);
  std::thread(wait_and_abort, printable(line)).detach();
}

/// The same, if the file is a watched one.
void note_failure(MPI_File file, const std::string& why) {
  Watch& w = watch();
  const std::lock_guard lock(w.mutex);
  const auto name = w.names.find(file);
  if (name == w.names.end()) return;
  await_agreement(w, fmt::format("{}: data cannot be written: {}", name->second, why));
}

/// MPI calls it before HDF5 learns of the error.
void on_error(MPI_File* file, int* code, ...) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(*code, text, &length);
  note_failure(*file, std::string(text, static_cast<std::size_t>(length)));
}

/// Whether fewer bytes were written than were asked for.
bool is_short(MPI_Status* status, int count, MPI_Datatype type) {
  MPI_Count written = 0, size = 0;
  if (status == MPI_STATUS_IGNORE || MPI_Type_size_x(type, &size) != MPI_SUCCESS) return false;
  return MPI_Get_elements_x(status, MPI_BYTE, &written) == MPI_SUCCESS && written != MPI_UNDEFINED &&
         written < size * count;
}

}  // namespace

void watch_writes(const Communicator& comm, hid_t file, const std::string& name) {
  if (comm.size() == 1) return;
  MPI_File* handle = nullptr;
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, reinterpret_cast<void**>(&handle)) < 0 || handle == nullptr)
    return;
  static const MPI_Errhandler handler = [] {
    MPI_Errhandler made = MPI_ERRORS_RETURN;
    MPI_File_create_errhandler(on_error, &made);
    return made;
  }();
  Watch& w = watch();
  {
    const std::lock_guard lock(w.mutex);
    w.rank = comm.rank();
    w.size = comm.size();
    w.names[*handle] = name;
  }
  MPI_File_set_errhandler(*handle, handler);
}

void note_write_failure(const std::string& message) {
  const std::lock_guard lock(watch().mutex);
  if (watch().size > 1) await_agreement(watch(), message);
}

bool write_failed() {
  const std::lock_guard lock(watch().mutex);
  return watch().failed;
}

void settle_writes() {
  const std::lock_guard lock(watch().mutex);
  watch().failed = false;
  watch().settled.notify_all();
}

}  // namespace wafermark

namespace {
using Write = int(MPI_File, MPI_Offset, const void*, int, MPI_Datatype, MPI_Status*);

/// HDF5's calls come here, by the order in which symbols are looked up: Open MPI tells of a failed write by
/// the number of bytes alone, as of a success.
int watched_write(const char* name, MPI_File file, MPI_Offset offset, const void* data, int count,
                  MPI_Datatype type, MPI_Status* status) {
  auto* const next = reinterpret_cast<Write*>(dlsym(RTLD_NEXT, name));
  const int code = next(file, offset, data, count, type, status);
  if (code == MPI_SUCCESS && wafermark::is_short(status, count, type))
    wafermark::note_failure(file, "expected space on the device");
  return code;
}
}  // namespace

extern "C" int MPI_File_write_at(MPI_File file, MPI_Offset offset, const void* data, int count,
                                 MPI_Datatype type, MPI_Status* status) {
  return watched_write("MPI_File_write_at", file, offset, data, count, type, status);
}

extern "C" int MPI_File_write_at_all(MPI_File file, MPI_Offset offset, const void* data, int count,
                                     MPI_Datatype type, MPI_Status* status) {
  return watched_write("MPI_File_write_at_all", file, offset, data, count, type, status);
}
