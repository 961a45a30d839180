#include "sparse_llama/model/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "common/memory.hpp"

namespace wafermark::llama {
namespace {

constexpr std::size_t longest_stream = std::size_t{1} << 30;  // devices such as /dev/zero never end

/// What a pipe or a device gives up to its end. One that nobody writes to is empty: waiting for a writer
/// could take for ever.
std::string read_stream(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  std::string text;
  std::array<char, 1 << 16> part;
  ssize_t got = file < 0 ? -1 : 1;
  while (got > 0 && text.size() <= longest_stream) {
    got = ::read(file, part.data(), part.size());
    if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      pollfd wait{file, POLLIN, 0};
      ::poll(&wait, 1, -1);
      got = 1;
    }
  }
  if (file >= 0) ::close(file);
  if (got < 0) throw InputError(fmt::format("{}: cannot be read, expected a text", path));
  if (text.size() > longest_stream)
    throw InputError(fmt::format("{}: found a pipe or a device of more than {} bytes, expected a file", path,
                                 longest_stream));
  return text;
}

void expect_room(const std::string& path, double bytes) {
  const FreeMemory own = free_memory_of_process(), node = free_memory_of_node();
  const FreeMemory& left = own.bytes < node.bytes ? own : node;
  if (!(bytes <= left.bytes))
    throw InputError(fmt::format("{}: needs {}, {} are available ({})", path, in_gigabytes(bytes),
                                 in_gigabytes(left.bytes), left.bound));
}

}  // namespace

std::string read_text(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return read_stream(path);
  const MappedFile file(path);
  expect_room(path, double(file.bytes().size()));
  // Files of /proc have no size and yet a text.
  return file.bytes().empty() ? read_stream(path) : std::string(file.bytes());
}

}  // namespace wafermark::llama
