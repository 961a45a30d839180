#include "tungsten_md/model/stopping_table.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"

namespace wafermark::tungsten {

StoppingTable read_stopping_table(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw InputError(fmt::format("{}: cannot be read, expected a table of stopping powers", path));
  StoppingTable t;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    double e = 0.0, s = 0.0;
    std::string more;
    if (!(words >> std::ws) || words.eof()) continue;
    if (!(words >> e >> s) || words >> more || !std::isfinite(e) || !std::isfinite(s) || e < 0.0 || s < 0.0)
      throw InputError(fmt::format(
          "{}:{}: found '{}', expected an energy (eV) and a stopping power (eV/Angstrom), neither negative",
          path, number, line.substr(0, 80)));
    if (!t.energy_ev.empty() && e <= t.energy_ev.back())
      throw InputError(fmt::format("{}:{}: found energy {}, expected more than {} of the line before", path,
                                   number, e, t.energy_ev.back()));
    t.energy_ev.push_back(e);
    t.power_ev_per_angstrom.push_back(s);
  }
  if (t.energy_ev.size() < 2)
    throw InputError(
        fmt::format("{}: found {} lines of numbers, expected at least two", path, t.energy_ev.size()));
  return t;
}

}  // namespace wafermark::tungsten
