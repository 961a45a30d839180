// Atoms and electrons: friction and noise at the electrons' temperature, which is one, or that of the cell
// where an atom is (the arithmetic: kernels/electron_heat.hpp, kernels/heat_bath.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/dynamics/running_sum.hpp"
#include "tungsten_md/kernels/electron_heat.hpp"
#include "tungsten_md/model/electron_settings.hpp"

namespace wafermark::tungsten {

/// Where atoms leave the energy that they lose to electrons; nowhere without cells.
struct HeatDeposit {
  HeatCells cells{};
  Kokkos::View<std::int64_t*, MemSpace> quanta;  ///< of each cell, 2^-40 eV

  KOKKOS_FORCEINLINE_FUNCTION void add(double x, double y, double z, double energy_ev) const {
    if (quanta.data() == nullptr) return;
    Kokkos::atomic_add(&quanta(cells.cell_of(x, y, z)),
                       static_cast<std::int64_t>(Kokkos::round(energy_ev * heat_quanta_per_ev)));
  }
};

class Electrons {
 public:
  Electrons(const ElectronSettings& settings, const Box& box, std::uint64_t seed);

  bool on() const { return settings_.on(); }
  bool has_cells() const { return settings_.has_cells(); }
  /// For what else takes energy from atoms in this step.
  HeatDeposit deposit(const Box& box) const;
  /// Acts on this rank's atoms for `dt` at the end of step `step`; adds the heat that they took, eV, to
  /// `heat`.
  void couple(Particles& p, const Box& box, double dt, std::int64_t step, RunningSum& heat) const;
  /// Takes in what was deposited on all ranks, and lets heat flow between the cells for `dt`. Collective.
  void conduct(const Communicator& comm, const Box& box, double dt);

  /// Of the cells, the same on all ranks.
  double energy_ev() const;
  double gained_ev() const { return energy_ev() - initial_ev_; }
  double mean_temperature_k(const Box& box) const;
  std::vector<double> temperatures_k(const Box& box) const;  ///< [x][y][z]

  /// For checkpoints: energies of the cells, eV, and what they were at the start.
  std::vector<double> cells_ev() const;
  double initial_ev() const { return initial_ev_; }
  void resume(const std::vector<double>& cells_ev, double initial_ev);

 private:
  HeatCells cells_in(const Box& box) const;
  ElectronProperties<double> properties() const;
  double volume_of_cell(const Box& box) const { return box.volume() / cells_in(box).size(); }
  int exchanges_for(const Box& box, double dt) const;

  ElectronSettings settings_;
  std::uint64_t seed_;
  ScalarView temperature_, heat_capacity_, conductivity_, energy_;  ///< the table
  ScalarView cell_ev_, next_ev_, kelvin_;                           ///< of each cell
  Kokkos::View<std::int64_t*, MemSpace> quanta_;
  double initial_ev_ = 0.0;
};

}  // namespace wafermark::tungsten
