// Decks and machine files: TOML.
#include <filesystem>

#include "tests/fuzz/target.hpp"
#include "tungsten_md/model/case.hpp"
#include "wse_emulator/machine.hpp"

namespace wafermark::fuzz {
namespace {

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(WAFERMARK_SOURCE_DIR) + folder))
    if (entry.path().extension() == ".toml") all.push_back(bytes_of(entry.path().string()));
  // Files that a deck names need not be on this machine.
  std::erase_if(all, [](const std::string& text) { return text.find("\nfile = ") != std::string::npos; });
  return all;
}

const Register deck({"deck", "case.toml",
                     [](const Communicator&, const std::string& path) {
                       Deck read = Deck::read(path);
                       tungsten::Case::read(read);
                     },
                     [](const Communicator&, const std::string&) { return files_in("/inputs/tungsten"); }});

const Register machine({"machine", "machine.toml",
                        [](const Communicator&, const std::string& path) { wse::Machine::read(path); },
                        [](const Communicator&, const std::string&) { return files_in("/inputs/wafers"); }});

}  // namespace
}  // namespace wafermark::fuzz
