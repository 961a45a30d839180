#include "tungsten_md/io/collective_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"

namespace wafermark::tungsten {

namespace fs = std::filesystem;

namespace {

std::string mpi_text(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  return std::string(text, length);
}

/// Writes each rank's text at its offset; MPI counts are int, so in pieces of 1 GiB. Returns the first error
/// code.
int write_at(const Communicator& comm, MPI_File file, std::int64_t offset, const std::string& text) {
  constexpr std::int64_t piece = std::int64_t{1} << 30;
  const auto size = static_cast<std::int64_t>(text.size());
  const std::int64_t rounds = comm.max((size + piece - 1) / piece);
  int code = MPI_SUCCESS;
  for (std::int64_t r = 0; r < rounds; ++r) {
    const std::int64_t from = std::min(r * piece, size);
    const auto n = static_cast<int>(std::min(piece, size - from));
    const int written =
        MPI_File_write_at_all(file, offset + from, text.data() + from, n, MPI_CHAR, MPI_STATUS_IGNORE);
    if (code == MPI_SUCCESS) code = written;
  }
  return code;
}

}  // namespace

void write_collective_text(const Communicator& comm, const std::string& path,
                           const std::vector<TextPart>& parts, bool append) {
  const std::string target = append ? path : path + ".tmp";
  std::int64_t start = 0;
  if (comm.is_root() && append) {
    std::error_code none;
    const auto size = fs::file_size(path, none);
    if (!none) start = static_cast<std::int64_t>(size);
  }
  if (comm.is_root() && !append) {  // what an interrupted run left
    std::error_code none;
    fs::remove(target, none);
  }
  comm.broadcast(start);

  MPI_File file = MPI_FILE_NULL;
  int code =
      MPI_File_open(comm.raw(), target.c_str(), MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
  comm.throw_together(code != MPI_SUCCESS, fmt::format("{}: cannot be written: {}", path, mpi_text(code)));
  std::int64_t end = start;
  for (const TextPart& part : parts) {
    const std::string with_header = comm.is_root() ? part.header + part.rows : "";
    const std::string& text = comm.is_root() ? with_header : part.rows;
    const auto size = static_cast<std::int64_t>(text.size());
    const int written = write_at(comm, file, end + comm.exclusive_scan(size), text);
    if (code == MPI_SUCCESS) code = written;
    end += comm.sum(size);
  }
  const int closed = MPI_File_close(&file);
  if (code == MPI_SUCCESS) code = closed;

  const bool failed = comm.max(static_cast<int>(code != MPI_SUCCESS)) != 0;
  std::string problem;
  if (comm.is_root()) {
    std::error_code error;
    // Some MPI libraries do not report a full disk: the size tells.
    const bool complete =
        !failed && fs::file_size(target, error) == static_cast<std::uintmax_t>(end) && !error;
    if (!complete)
      problem =
          fmt::format("{}: cannot be written: {}", path, code == MPI_SUCCESS ? "disk full?" : mpi_text(code));
    else if (!append && (fs::rename(target, path, error), error))
      problem = fmt::format("{}: cannot be written: {}", path, error.message());
    if (!problem.empty() && !append) fs::remove(target, error);
    if (!problem.empty() && append) fs::resize_file(path, static_cast<std::uintmax_t>(start), error);
  }
  comm.throw_together(!problem.empty(), problem);
}

}  // namespace wafermark::tungsten
