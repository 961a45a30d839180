#include "common/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
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

std::string lock_name(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path + ".lock";
}

bool is_called(int file, const std::string& name) {
  struct stat open {};
  struct stat named {};
  return ::fstat(file, &open) == 0 && ::stat(name.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

/// The open lock of `name`, -1 on other ranks and where it cannot be made. Throws InputError on every rank,
/// "WHAT: OWNER is writing there, EXPECTED", when another program holds it.
int locked(const Communicator& comm, const std::string& name, const std::string& what,
           const std::string& expected) {
  std::string problem;
  int file = -1;
  if (comm.is_root()) {
    // Its owner may have taken the name away between our opening and our locking: then once more.
    do {
      if (file >= 0) ::close(file);
      file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        problem = fmt::format("{}: {} is writing there, {}", what, owner_of(file), expected);
    } while (file >= 0 && problem.empty() && !is_called(file, name));
    if (file >= 0 && problem.empty()) sign(file);
  }
  try {
    comm.throw_together(!problem.empty(), problem);
  } catch (...) {
    if (file >= 0) ::close(file);
    throw;
  }
  return file;
}

}  // namespace

FolderLock::FolderLock(const Communicator& comm, const std::string& folder, const std::string& option)
    : file_(locked(comm, folder + "/.lock", fmt::format("{} {}", option, folder),
                   "expected a folder of its own")) {}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

OutputLock::OutputLock(const Communicator& comm, const std::string& path, const std::string& option)
    : name_(lock_name(path)),
      file_(locked(comm, name_, fmt::format("{} {}", option, path),
                   "expected another place or a while later")) {}

OutputLock::~OutputLock() {
  if (file_ < 0) return;
  ::unlink(name_.c_str());
  ::close(file_);
}

}  // namespace wafermark
