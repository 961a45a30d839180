#include "common/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "common/errors.hpp"

namespace wafermark {
namespace {

/// A descriptor, closed with the object.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  int fd() const { return fd_; }
  bool good() const { return fd_ >= 0; }
  /// Some file systems (NFS) tell of a full disk only here. 0 or the error.
  int close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0 ? 0 : errno;
  }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& path, int error) {
  throw std::runtime_error(fmt::format("{}: cannot be written: {}", path, std::strerror(error)));
}

/// 0 or the error.
int write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    done += static_cast<std::size_t>(n);
  }
  return 0;
}

/// 0 or the error. What cannot be synchronised (a folder of some network file systems) needs no more.
int sync(int fd) { return ::fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno; }

}  // namespace

void write_text_file(const std::string& path, const std::string& text) {
  std::error_code none;
  if (std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none))
    throw InputError(fmt::format("{}: found a folder or device, expected a file to write", path));
  const std::string temporary = path + ".tmp";
  int error = 0;
  {
    Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.good()) fail(path, errno);
    error = write_all(file.fd(), text);
    if (error == 0) error = sync(file.fd());
    const int closed = file.close();
    if (error == 0) error = closed;
  }
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail(path, error);
  }
  rename_durably(temporary, path);
}

void put_in_place(const std::string& from, const std::string& to) {
  const Descriptor file(from, O_RDONLY);
  const int error = file.good() ? sync(file.fd()) : errno;
  if (error != 0) {
    ::unlink(from.c_str());
    fail(to, error);
  }
  rename_durably(from, to);
}

void rename_durably(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    ::unlink(from.c_str());
    fail(to, error);
  }
  const std::string folder = std::filesystem::path(to).parent_path().string();
  const Descriptor place(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (place.good() && sync(place.fd()) != 0) fail(to, errno);
}

std::string reserve_room(const std::string& path, std::int64_t offset, std::int64_t bytes) {
  if (bytes <= 0) return "";
  const Descriptor file(path, O_WRONLY);
  if (!file.good()) return std::strerror(errno);
  if (::fallocate(file.fd(), FALLOC_FL_KEEP_SIZE, offset, bytes) == 0) return "";
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINTR && errno != EINVAL)
    return std::strerror(errno);
  // No reservations here (NFS, some Lustre): what the file system says is free.
  struct statvfs room {};
  if (::fstatvfs(file.fd(), &room) != 0 || room.f_frsize == 0) return "";
  const double free_bytes = static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize);
  return free_bytes < static_cast<double>(bytes) ? std::strerror(ENOSPC) : "";
}

}  // namespace wafermark
