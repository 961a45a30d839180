#include "tungsten_md/dynamics/electrons.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tungsten_md/dynamics/device_numbers.hpp"
#include "tungsten_md/kernels/heat_bath.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

/// Temperatures change within a step by at most the share of this many exchanges.
constexpr double safe_share = 0.5;
constexpr int most_exchanges = 1000;  // heat_exchanged() bounds what more would be needed for

std::vector<double> integral_of(const ElectronTable& t) {
  std::vector<double> energy;
  for (std::size_t k = 0; k < t.temperature_k.size(); ++k)
    energy.push_back(k == 0 ? t.heat_capacity[0] * t.temperature_k[0]
                            : energy[k - 1] + 0.5 * (t.heat_capacity[k] + t.heat_capacity[k - 1]) *
                                                  (t.temperature_k[k] - t.temperature_k[k - 1]));
  return energy;
}

struct Couple {
  Particles p;
  HeatDeposit deposit;
  ScalarView kelvin;  ///< of the cells; empty: all are at `bath_k`
  double bath_k, dt_over_time, least, most;
  std::uint64_t seed, step;

  KOKKOS_FUNCTION void operator()(int i, double& heat) const {
    const double mass = p.mass_of_type(p.type(i)), to_ev = units::amu_a2_per_ps2_in_ev;
    const double v[3] = {p.v(i, 0), p.v(i, 1), p.v(i, 2)};
    const double before = 0.5 * mass * to_ev * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    if (before < least || before >= most) return;
    const double t =
        kelvin.data() == nullptr ? bath_k : kelvin(deposit.cells.cell_of(p.x(i, 0), p.x(i, 1), p.x(i, 2)));
    const HeatBath<double> bath = heat_bath(dt_over_time, units::boltzmann_ev_per_k * t / (mass * to_ev));
    const Triple g = gaussian_triple(seed, static_cast<std::uint64_t>(p.id(i)), step, Stream::electrons);
    const double noise[3] = {g.x, g.y, g.z};
    double after = 0.0;
    for (int d = 0; d < 3; ++d) {
      p.v(i, d) = bathed(bath, v[d], noise[d]);
      after += 0.5 * mass * to_ev * p.v(i, d) * p.v(i, d);
    }
    heat += after - before;
    deposit.add(p.x(i, 0), p.x(i, 1), p.x(i, 2), before - after);
  }
};

struct TakeIn {
  Kokkos::View<std::int64_t*, MemSpace> quanta;
  ScalarView cell_ev;
  KOKKOS_FUNCTION void operator()(int c) const {
    cell_ev(c) += static_cast<double>(quanta(c)) / heat_quanta_per_ev;
    quanta(c) = 0;
  }
};

struct FindTemperatures {
  ElectronProperties<double> of;
  ScalarView cell_ev, kelvin;
  double per_volume;
  KOKKOS_FUNCTION void operator()(int c) const { kelvin(c) = of.temperature_at(cell_ev(c) * per_volume); }
};

/// The largest rate, 1/ps, at which two neighbours would even out.
struct FastestExchange {
  ElectronProperties<double> of;
  HeatCells cells;
  ScalarView cell_ev, kelvin;
  double per_volume, per_square[3];
  KOKKOS_FUNCTION void operator()(int c, double& fastest) const {
    for (int d = 0; d < 3; ++d) {
      const int o = cells.neighbour(c, d, 1);
      const double apart = Kokkos::abs(cell_ev(o) - cell_ev(c)) * per_volume;
      if (!(apart > 0.0)) continue;
      const double flow = of.conductivity_at(0.5 * (kelvin(c) + kelvin(o))) *
                          Kokkos::abs(kelvin(o) - kelvin(c)) * per_square[d];
      fastest = Kokkos::max(fastest, flow / apart);
    }
  }
};

struct Exchange {
  ElectronProperties<double> of;
  HeatCells cells;
  ScalarView cell_ev, next_ev, kelvin;
  double volume, dt_over_square[3];
  KOKKOS_FUNCTION void operator()(int c) const {
    const double mine = cell_ev(c) / volume;
    double taken = 0.0;
    for (int d = 0; d < 3; ++d)
      for (int way = -1; way <= 1; way += 2) {
        const int o = cells.neighbour(c, d, way);
        if (o == c) continue;
        taken += heat_exchanged(of, mine, kelvin(c), cell_ev(o) / volume, kelvin(o), dt_over_square[d]);
      }
    next_ev(c) = cell_ev(c) + taken * volume;
  }
};

}  // namespace

Electrons::Electrons(const ElectronSettings& settings, const Box& box, std::uint64_t seed)
    : settings_(settings), seed_(seed) {
  if (!settings.has_cells()) return;
  const ElectronTable& t = settings.properties;
  temperature_ = numbers_on_device(t.temperature_k, "electron_temperature");
  heat_capacity_ = numbers_on_device(t.heat_capacity, "electron_heat_capacity");
  conductivity_ = numbers_on_device(t.conductivity, "electron_conductivity");
  const std::vector<double> energy = integral_of(t);
  energy_ = numbers_on_device(energy, "electron_energy");
  const ElectronProperties<double> host_properties{static_cast<int>(energy.size()), t.temperature_k.data(),
                                                   t.heat_capacity.data(), t.conductivity.data(),
                                                   energy.data()};
  const auto n = static_cast<std::size_t>(cells_in(box).size());
  const std::vector<double> start(n, host_properties.energy_at(settings.temperature_k) * volume_of_cell(box));
  cell_ev_ = numbers_on_device(start, "electron_cells");
  next_ev_ = ScalarView("electron_cells_next", n);
  kelvin_ = ScalarView("electron_kelvin", n);
  quanta_ = Kokkos::View<std::int64_t*, MemSpace>("electron_quanta", n);
  initial_ev_ = energy_ev();
}

HeatCells Electrons::cells_in(const Box& box) const {
  HeatCells c{};
  for (int d = 0; d < 3; ++d) {
    const auto k = static_cast<std::size_t>(d);
    c.n[d] = settings_.cells[k];
    c.lo[d] = box.lo[k];
    c.per_length[d] = c.n[d] / box.length(d);
    c.periodic[d] = box.periodic[k];
  }
  return c;
}

ElectronProperties<double> Electrons::properties() const {
  return {static_cast<int>(temperature_.extent(0)), temperature_.data(), heat_capacity_.data(),
          conductivity_.data(), energy_.data()};
}

HeatDeposit Electrons::deposit(const Box& box) const { return {cells_in(box), quanta_}; }

void Electrons::couple(Particles& p, const Box& box, double dt, std::int64_t step, RunningSum& heat) const {
  if (!on()) return;
  if (has_cells())
    Kokkos::parallel_for("electron_temperatures", over(cells_in(box).size()),
                         FindTemperatures{properties(), cell_ev_, kelvin_, 1.0 / volume_of_cell(box)});
  Kokkos::parallel_reduce(
      "couple_electrons", over(p.n_local),
      Couple{p, deposit(box), kelvin_, settings_.temperature_k, dt / settings_.coupling_time_ps,
             settings_.min_energy_ev, settings_.max_energy_ev, seed_, static_cast<std::uint64_t>(step)},
      heat.next());
}

int Electrons::exchanges_for(const Box& box, double dt) const {
  const HeatCells cells = cells_in(box);
  FastestExchange find{properties(), cells, cell_ev_, kelvin_, 1.0 / volume_of_cell(box), {}};
  for (int d = 0; d < 3; ++d) find.per_square[d] = cells.per_length[d] * cells.per_length[d];
  double fastest = 0.0;
  Kokkos::parallel_reduce("fastest_exchange", over(cells.size()), find, Kokkos::Max<double>(fastest));
  // A cell has six neighbours.
  const double needed = 6.0 * fastest * dt / safe_share;
  return static_cast<int>(std::clamp(std::ceil(needed), 1.0, static_cast<double>(most_exchanges)));
}

void Electrons::conduct(const Communicator& comm, const Box& box, double dt) {
  if (!has_cells()) return;
  const HeatCells cells = cells_in(box);
  const auto all = over(cells.size());
  auto sums = Kokkos::create_mirror_view(quanta_);
  Kokkos::deep_copy(sums, quanta_);
  comm.sum_in_place(sums.data(), cells.size());
  Kokkos::deep_copy(quanta_, sums);
  Kokkos::parallel_for("electrons_take_in", all, TakeIn{quanta_, cell_ev_});
  const double volume = volume_of_cell(box);
  const FindTemperatures find{properties(), cell_ev_, kelvin_, 1.0 / volume};
  Kokkos::parallel_for("electron_temperatures", all, find);
  const int exchanges = exchanges_for(box, dt);
  for (int k = 0; k < exchanges; ++k) {
    Exchange exchange{properties(), cells, cell_ev_, next_ev_, kelvin_, volume, {}};
    for (int d = 0; d < 3; ++d)
      exchange.dt_over_square[d] = dt / exchanges * cells.per_length[d] * cells.per_length[d];
    if (k > 0)
      Kokkos::parallel_for("electron_temperatures", all,
                           FindTemperatures{properties(), cell_ev_, kelvin_, 1.0 / volume});
    Kokkos::parallel_for("exchange_heat", all, exchange);
    std::swap(cell_ev_, next_ev_);
  }
}

double Electrons::energy_ev() const {
  if (!has_cells()) return 0.0;
  double sum = 0.0;
  for (const double e : cells_ev()) sum += e;
  return sum;
}

std::vector<double> Electrons::temperatures_k(const Box& box) const {
  Kokkos::parallel_for("electron_temperatures", over(cells_in(box).size()),
                       FindTemperatures{properties(), cell_ev_, kelvin_, 1.0 / volume_of_cell(box)});
  return numbers_on_host(kelvin_);
}

double Electrons::mean_temperature_k(const Box& box) const {
  const std::vector<double> kelvin = temperatures_k(box);
  double sum = 0.0;
  for (const double t : kelvin) sum += t;
  return sum / static_cast<double>(kelvin.size());
}

std::vector<double> Electrons::cells_ev() const { return numbers_on_host(cell_ev_); }

void Electrons::resume(const std::vector<double>& cells_ev, double initial_ev) {
  cell_ev_ = numbers_on_device(cells_ev, "electron_cells");
  initial_ev_ = initial_ev;
}

}  // namespace wafermark::tungsten
