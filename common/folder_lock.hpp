// One program at a time in a folder: two that write the same files would mix them.
#pragma once

#include <string>

#include "common/communicator.hpp"

namespace wafermark {

/// Holds DIR/.lock (flock, rank 0) while it lives. The kernel lets go of it when the process ends, however it
/// ends: nothing needs clearing up after a crash. The file stays, with the host and the process of the last
/// owner. On NFS (Linux 2.6.12 and later) and on Lustre mounted with -o flock the lock holds between nodes;
/// where the file system has no locks there is none, and nothing is said.
class FolderLock {
 public:
  FolderLock() = default;  ///< holds nothing
  /// Collective. Throws InputError that names the owner when another program holds the folder; `option`: how
  /// the user named it ("--out").
  FolderLock(const Communicator& comm, const std::string& folder, const std::string& option);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;

 private:
  int file_ = -1;
};

}  // namespace wafermark
