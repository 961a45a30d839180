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

/// The same for what has no folder of its own, a file, or a folder that appears whole: holds PATH.lock beside
/// it while it lives, and takes that away. One that a killed program left is free to the next, which clears
/// it.
class OutputLock {
 public:
  /// Collective. Throws InputError that names the owner when another program writes PATH; nothing is locked
  /// where the folder around it is not there or not writable: what comes next says so.
  OutputLock(const Communicator& comm, const std::string& path, const std::string& option);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  std::string name_;
  int file_ = -1;
};

}  // namespace wafermark
