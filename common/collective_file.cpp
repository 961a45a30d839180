#include "common/collective_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/mpi_check.hpp"

namespace wafermark {

struct CollectiveFile::Handle {
  MPI_File mpi = MPI_FILE_NULL;
};

CollectiveFile::CollectiveFile(const Communicator& comm, const std::string& path, const std::string& name)
    : comm_(comm), name_(name), file_(std::make_unique<Handle>()) {
  // Where the opening failed on some ranks only, the others' files cannot be closed: that is collective.
  throw_if_any(
      MPI_File_open(comm.raw(), path.c_str(), MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file_->mpi),
      "MPI_File_open");
}

CollectiveFile::~CollectiveFile() {
  // Closing waits for the other ranks, and while an exception is on its way they need not come.
  if (file_ && std::uncaught_exceptions() <= exceptions_) MPI_File_close(&file_->mpi);
}

void CollectiveFile::write_at(std::int64_t offset, const std::string& text) {
  const auto size = static_cast<std::int64_t>(text.size()), piece = comm_.largest_message();
  const std::int64_t rounds = comm_.max((size + piece - 1) / piece);
  int first_error = MPI_SUCCESS;
  for (std::int64_t r = 0; r < rounds; ++r) {
    const std::int64_t from = std::min(r * piece, size);
    const auto n = static_cast<int>(std::min(piece, size - from));
    MPI_Status status;
    int written = 0;
    int code = MPI_File_write_at_all(file_->mpi, offset + from, text.data() + from, n, MPI_CHAR, &status);
    // Open MPI tells of a failed write by the number of bytes alone.
    if (code == MPI_SUCCESS) code = MPI_Get_count(&status, MPI_CHAR, &written);
    if (code == MPI_SUCCESS && written < n) code = MPI_ERR_NO_SPACE;
    if (first_error == MPI_SUCCESS) first_error = code;
  }
  if (comm_.max(first_error == MPI_SUCCESS ? 0 : 1) != 0) {  // all ranks are here
    MPI_File_close(&file_->mpi);
    file_.reset();
  }
  throw_if_any(first_error, "MPI_File_write_at_all");
}

void CollectiveFile::close() {
  const int synced = MPI_File_sync(file_->mpi);  // each rank's part, on its node
  const int code = MPI_File_close(&file_->mpi);
  file_.reset();
  throw_if_any(synced, "MPI_File_sync");
  throw_if_any(code, "MPI_File_close");
}

void CollectiveFile::throw_if_any(int code, const char* call) const {
  comm_.throw_together(code != MPI_SUCCESS, fmt::format("{}: cannot be written: rank {} of {}: {}: {}", name_,
                                                        comm_.rank(), comm_.size(), call, mpi_text(code)));
}

}  // namespace wafermark
