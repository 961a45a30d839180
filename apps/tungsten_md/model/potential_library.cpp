#include "tungsten_md/model/potential_library.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "common/environment.hpp"
#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

std::string find_one(const std::string& name, const std::string& deck_folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(name, ignored)) return name;
  std::vector<std::string> folders;
  if (!fs::path(name).is_absolute()) {
    folders = potential_folders();
    if (!deck_folder.empty()) folders.insert(folders.begin(), deck_folder);
  }
  for (const auto& folder : folders)
    if (const fs::path path = fs::path(folder) / name; fs::is_regular_file(path, ignored))
      return path.string();
  throw InputError(fmt::format(
      "{}: no such file{}{}, expected a potential (jobscripts/fetch_potentials.sh brings the usual ones; "
      "$WAFERMARK_POTENTIALS names a folder of your own)",
      name, folders.empty() ? "" : " here or in ", fmt::join(folders, ", ")));
}

}  // namespace

std::vector<std::string> potential_folders() {
  std::vector<std::string> folders;
  if (const auto own = environment_value("WAFERMARK_POTENTIALS"); !own.empty()) folders.push_back(own);
  if (const auto cache = environment_value("XDG_CACHE_HOME"); !cache.empty())
    folders.push_back(cache + "/wafermark/potentials");
  else if (const auto home = environment_value("HOME"); !home.empty())
    folders.push_back(home + "/.cache/wafermark/potentials");
  folders.push_back("/usr/share/lammps/potentials");
  return folders;
}

std::string find_potential(const std::string& name, const std::string& deck_folder) {
  std::string found;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find(',', begin), name.size());
    if (begin != 0) found += ',';
    found += find_one(name.substr(begin, end - begin), deck_folder);
    begin = end + 1;
  }
  return found;
}

}  // namespace wafermark::tungsten
