#include "tungsten_md/io/collective_text.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/collective_file.hpp"
#include "common/durable_file.hpp"
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
    // MPI libraries may wait for ever for a rank that meets a full disk.
    std::int64_t bytes = 0;
    for (const TextPart& part : parts)
      bytes +=
          comm.sum(static_cast<std::int64_t>(part.rows.size() + (comm.is_root() ? part.header.size() : 0)));
    const std::string why = comm.is_root() ? reserve_room(target, start, bytes) : "";
    if (comm.max(why.empty() ? 0 : 1) != 0) file.close();
    comm.throw_together(!why.empty(), fmt::format("{}: cannot be written: {}", path, why));
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
    if (problem.empty() && !append) try {
        put_in_place(target, path);
      } catch (const std::exception& e) {
        problem = message_of(e);
      }
    if (!problem.empty() && !append) fs::remove(target, error);
    if (!problem.empty() && append) fs::resize_file(path, static_cast<std::uintmax_t>(start), error);
  }
  comm.fail_together(!problem.empty(), problem);
}

}  // namespace wafermark::tungsten
