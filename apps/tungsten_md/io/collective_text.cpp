#include "tungsten_md/io/collective_text.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/collective_file.hpp"
#include "common/errors.hpp"

namespace wafermark::tungsten {

namespace fs = std::filesystem;

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

  std::int64_t end = start;
  std::string problem;
  try {
    CollectiveFile file(comm, target, path);
    for (const TextPart& part : parts) {
      const std::string with_header = comm.is_root() ? part.header + part.rows : "";
      const std::string& text = comm.is_root() ? with_header : part.rows;
      const auto size = static_cast<std::int64_t>(text.size());
      file.write_at(end + comm.exclusive_scan(size), text);
      end += comm.sum(size);
    }
    file.close();
  } catch (const InputError& e) {  // on all ranks
    problem = e.what();
  }
  if (comm.is_root()) {
    std::error_code error;
    // Some MPI libraries do not report a full disk: the size tells.
    const bool complete = fs::file_size(target, error) == static_cast<std::uintmax_t>(end) && !error;
    if (problem.empty() && !complete) problem = fmt::format("{}: cannot be written: disk full?", path);
    if (problem.empty() && !append && (fs::rename(target, path, error), error))
      problem = fmt::format("{}: cannot be written: {}", path, error.message());
    if (!problem.empty() && !append) fs::remove(target, error);
    if (!problem.empty() && append) fs::resize_file(path, static_cast<std::uintmax_t>(start), error);
  }
  comm.throw_together(!problem.empty(), problem);
}

}  // namespace wafermark::tungsten
