#include "common/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/errors.hpp"

namespace wafermark {
namespace {

/// "process 123 on node1", as the owner wrote it.
std::string owner_of(int file) {
  std::array<char, 256> text{};
  const ssize_t n = ::pread(file, text.data(), text.size() - 1, 0);
  std::string owner(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  owner = owner.substr(0, owner.find('\n'));
  return owner.empty() ? "another program" : owner;
}

void sign(int file) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {'?'};
  const std::string text = fmt::format("process {} on {}\n", ::getpid(), host.data());
  // Who it is only matters for a message: a full disk is found, and said, by what comes next.
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) < 0) return;
}

}  // namespace

FolderLock::FolderLock(const Communicator& comm, const std::string& folder, const std::string& option) {
  std::string problem;
  if (comm.is_root()) {
    file_ = ::open((folder + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      problem = fmt::format("{} {}: {} is writing there, expected a folder of its own", option, folder,
                            owner_of(file_));
    else if (file_ >= 0)
      sign(file_);
  }
  try {
    comm.throw_together(!problem.empty(), problem);
  } catch (...) {
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    throw;
  }
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

}  // namespace wafermark
