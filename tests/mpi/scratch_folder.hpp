// A folder that all ranks of a test share and that goes with the test.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "common/communicator.hpp"

namespace wafermark {

class ScratchFolder {
 public:
  explicit ScratchFolder(const Communicator& comm) : comm_(comm) {
    std::int64_t pid = getpid();
    comm.broadcast(pid);
    path_ = (std::filesystem::temp_directory_path() / ("wafermark_test_" + std::to_string(pid))).string();
    std::filesystem::create_directories(path_);
    comm.barrier();
  }
  ~ScratchFolder() {
    comm_.barrier();
    std::error_code error;
    if (comm_.is_root()) std::filesystem::remove_all(path_, error);
    comm_.barrier();
  }
  ScratchFolder(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Rank 0 writes the file; it is there for all ranks on return.
  std::string write(const std::string& name, const std::string& content) const {
    comm_.barrier();
    if (comm_.is_root()) std::ofstream(*this / name, std::ios::binary) << content;
    comm_.barrier();
    return *this / name;
  }
  std::string content(const std::string& name) const {
    comm_.barrier();
    std::ifstream file(*this / name, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    comm_.barrier();
    return text;
  }

 private:
  const Communicator& comm_;
  std::string path_;
};

}  // namespace wafermark
