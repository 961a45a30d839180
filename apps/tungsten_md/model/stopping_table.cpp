#include "tungsten_md/model/stopping_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark::tungsten {

StoppingTable read_stopping_table(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw InputError(fmt::format("{}: cannot be read, expected a table of stopping powers", path));
  StoppingTable t;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    if (!(words >> std::ws) || words.eof()) continue;
    std::vector<double> values;
    for (double value = 0.0; words >> value;) values.push_back(value);
    const bool good =
        words.eof() && values.size() >= 2 &&
        std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v) && v >= 0.0; });
    if (!good)
      throw InputError(fmt::format(
          "{}:{}: found '{}', expected an energy (eV) and, for each element, a stopping power (eV/Angstrom), "
          "none negative",
          path, number, printable(line.substr(0, 80))));
    if (t.energy_ev.empty()) t.power_ev_per_angstrom.resize(values.size() - 1);
    if (values.size() != t.power_ev_per_angstrom.size() + 1)
      throw InputError(fmt::format("{}:{}: found {} stopping powers, expected {} as in the lines before",
                                   path, number, values.size() - 1, t.power_ev_per_angstrom.size()));
    const double e = values.front();
    if (!t.energy_ev.empty() && e <= t.energy_ev.back())
      throw InputError(fmt::format("{}:{}: found energy {}, expected more than {} of the line before", path,
                                   number, e, t.energy_ev.back()));
    t.energy_ev.push_back(e);
    for (std::size_t k = 0; k + 1 < values.size(); ++k) t.power_ev_per_angstrom[k].push_back(values[k + 1]);
  }
  if (t.energy_ev.size() < 2)
    throw InputError(
        fmt::format("{}: found {} lines of numbers, expected at least two", path, t.energy_ev.size()));
  return t;
}

}  // namespace wafermark::tungsten
