#include "tungsten_md/dynamics/electronic_stopping.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include "common/errors.hpp"
#include "tungsten_md/kernels/stopping.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct Slow {
  Particles p;
  StoppingLaw<double> law;
  double dt;

  KOKKOS_FUNCTION void operator()(int i, double& lost) const {
    const double mass = p.mass_of_type(p.type(i)) * units::amu_a2_per_ps2_in_ev;
    const double v2 = p.v(i, 0) * p.v(i, 0) + p.v(i, 1) * p.v(i, 1) + p.v(i, 2) * p.v(i, 2);
    const double factor = slowing(law, mass, v2, dt);
    for (int d = 0; d < 3; ++d) p.v(i, d) *= factor;
    lost += 0.5 * mass * v2 * (1.0 - factor * factor);
  }
};

ScalarView to_device(const std::vector<double>& values, const char* name) {
  ScalarView view(std::string(name), values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                        values.data(), values.size()));
  return view;
}

}  // namespace

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
    if (!(words >> e >> s) || words >> more || !std::isfinite(e) || !std::isfinite(s) || s < 0.0)
      throw InputError(
          fmt::format("{}:{}: found '{}', expected an energy and a stopping power", path, number, line));
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

ElectronicStopping::ElectronicStopping(const StoppingSettings& settings) : settings_(settings) {
  if (settings.kind != StoppingSettings::Kind::table) return;
  const StoppingTable table = read_stopping_table(settings.file);
  energy_ = to_device(table.energy_ev, "stopping_energy");
  power_ = to_device(table.power_ev_per_angstrom, "stopping_power");
}

double ElectronicStopping::apply(Particles& p, double dt) const {
  if (settings_.kind == StoppingSettings::Kind::none) return 0.0;
  double lost = 0.0;
  Kokkos::parallel_reduce(
      "stopping", over(p.n_local),
      Slow{p,
           {settings_.kind == StoppingSettings::Kind::table, settings_.coefficient,
            settings_.cutoff_energy_ev, energy_.data(), power_.data(), static_cast<int>(energy_.extent(0))},
           dt},
      lost);
  return lost;
}

}  // namespace wafermark::tungsten
