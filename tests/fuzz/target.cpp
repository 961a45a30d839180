#include "tests/fuzz/target.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <typeinfo>

#include "common/errors.hpp"

namespace wafermark::fuzz {

namespace fs = std::filesystem;

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

Trial::Trial(const Target& target) : target_(target) {
  const bool memory = fs::is_directory("/dev/shm");
  std::string name = (memory ? "/dev/shm" : fs::temp_directory_path().string()) + "/wafermark-fuzz-XXXXXX";
  if (!mkdtemp(name.data())) throw std::runtime_error(name + ": cannot be made");
  folder_ = name;
  path_ = folder_ + "/" + target.file;
}

Trial::~Trial() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::optional<std::string> Trial::refusal(const Communicator& comm, const std::string& input) const {
  std::ofstream(path_, std::ios::binary).write(input.data(), static_cast<std::streamsize>(input.size()));
  try {
    target_.read(comm, path_);
    return std::nullopt;
  } catch (const InputError& e) {
    const std::string message = e.what();
    if (message.find('\n') == std::string::npos && message.size() < 4000) return message;
    std::fprintf(stderr, "%s: a message of %zu bytes or of more than one line: %.400s\n",
                 target_.name.c_str(), message.size(), message.c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s: %s\n", target_.name.c_str(), typeid(e).name(), e.what());
  }
  std::abort();
}

}  // namespace wafermark::fuzz
