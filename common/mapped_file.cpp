#include "common/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "common/errors.hpp"

namespace wafermark {

MappedFile::MappedFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not hold us up
  if (file < 0) throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  struct stat status {};
  const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  void* data = nullptr;
  if (regular && status.st_size > 0)
    data = ::mmap(nullptr, std::size_t(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
  const int error = errno;
  ::close(file);
  if (!regular) throw InputError(fmt::format("{}: cannot be read, expected a file", path));
  if (data == MAP_FAILED) throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(error)));
  data_ = static_cast<const char*>(data);
  size_ = std::size_t(status.st_size);
  if (bytes().starts_with("version https://git-lfs.github.com/spec/")) {
    ::munmap(data, size_);
    throw InputError(
        fmt::format("{}: this is a git-lfs pointer, not the file, expected the file (git lfs pull)", path));
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

namespace {

/// The whole pages within the bytes, or (`around`) those that hold any of them.
enum class Pages { within, around };
std::pair<std::uintptr_t, std::uintptr_t> pages_of(std::string_view bytes, Pages which) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(bytes.data()), last = first + bytes.size();
  const auto up = [&](std::uintptr_t at) { return (at + page - 1) / page * page; };
  return which == Pages::within ? std::pair(up(first), last / page * page)
                                : std::pair(first / page * page, up(last));
}

}  // namespace

void expect_reading(std::string_view bytes) {
  constexpr std::uintptr_t piece = 1 << 20;  // of one request the kernel takes no more than a device's
  const auto [first, last] = pages_of(bytes, Pages::around);
  for (std::uintptr_t at = first; at < last; at += piece)
    ::madvise(reinterpret_cast<void*>(at), std::min(piece, last - at), MADV_WILLNEED);
}

void let_go(std::string_view bytes) {
  const auto [first, last] = pages_of(bytes, Pages::within);
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace wafermark
