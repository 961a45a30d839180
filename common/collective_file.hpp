// A file that the ranks write together: by MPI-IO, or, where MPI is simulated and its files with it, by the
// calls of the system (collective_file_simulated.cpp).
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "common/communicator.hpp"

namespace wafermark {

/// Opened for writing, made when it is not there. All calls are collective, and an error of any rank throws
/// InputError "<name>: cannot be written: <MPI's text>" on all of them.
class CollectiveFile {
 public:
  /// `name`: what messages call the file.
  CollectiveFile(const Communicator& comm, const std::string& path, const std::string& name);
  ~CollectiveFile();
  CollectiveFile(const CollectiveFile&) = delete;
  CollectiveFile& operator=(const CollectiveFile&) = delete;

  /// This rank's text, of any length (in pieces of Communicator::largest_message()), at byte `offset`.
  void write_at(std::int64_t offset, const std::string& text);
  /// Pushes all to the disk first.
  void close();

 private:
  struct Handle;
  void throw_if_any(int code, const char* call) const;

  const Communicator& comm_;
  std::string name_;
  std::unique_ptr<Handle> file_;                 ///< null: closed
  int exceptions_ = std::uncaught_exceptions();  ///< under way when it was made
};

}  // namespace wafermark
