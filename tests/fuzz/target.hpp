// Readers under test. A file of this folder holds one or a few targets, registered by name; libFuzzer drives
// one of them (fuzzer_main.cpp, preset `fuzz`), replay_main.cpp all of them on their seeds and on a few
// damaged ones.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark::fuzz {

struct Target {
  std::string name;
  std::string file;  ///< name that the input gets: readers go by endings
  /// Reads the file at `path`. Throws InputError for a bad one; anything else that it throws is a fault.
  std::function<void(const Communicator& comm, const std::string& path)> read;
  /// Good inputs to begin with. `scratch`: a folder to write in.
  std::function<std::vector<std::string>(const Communicator& comm, const std::string& scratch)> seeds;
};

std::vector<Target>& targets();

/// A static object of this type makes a target known.
struct Register {
  explicit Register(Target target) { targets().push_back(std::move(target)); }
};

/// The bytes of a file. Throws std::runtime_error.
std::string bytes_of(const std::string& path);

/// An input on its way through a target: a file in memory (/dev/shm), removed at the end.
class Trial {
 public:
  explicit Trial(const Target& target);
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  /// Why the target refused the input, in one line; nothing: it took it. Ends the process by abort() where
  /// anything else than an InputError of one line comes out.
  std::optional<std::string> refusal(const Communicator& comm, const std::string& input) const;
  const std::string& folder() const { return folder_; }

 private:
  const Target& target_;
  std::string folder_, path_;
};

}  // namespace wafermark::fuzz
