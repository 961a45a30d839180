// Monte Carlo exchanges of two atoms' elements, which bring an alloy to its order faster than diffusion does.
#pragma once

#include <cstdint>

#include "common/communicator.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/swap_settings.hpp"

namespace wafermark::tungsten {

/// Ids of two atoms of different elements.
struct AtomPair {
  std::int64_t first = 0, second = 0;
};

/// Which exchanges are tried and which are accepted: by seed and number, the same for any number of ranks.
class ElementSwaps {
 public:
  ElementSwaps(const SwapSettings& settings, std::uint64_t seed) : settings_(settings), seed_(seed) {}

  bool is_due(std::int64_t step) const { return settings_.on() && step % settings_.every == 0; }
  int attempts() const { return settings_.attempts; }

  /// The next pair: any atom, each as likely, then any of the other elements. There must be two elements.
  /// Collective.
  AtomPair choose(const Communicator& comm, const Particles& p) const;
  /// Whether an exchange that changes the energy by `rise_ev` is made at this temperature, with the
  /// probability min(1, exp(-rise / k T)) of Metropolis et al. (J. Chem. Phys. 21 (1953) 1087); counts it.
  /// The proposals are as likely one way as back.
  bool accepts(double rise_ev, double temperature_k);

  std::int64_t tried() const { return tried_; }
  std::int64_t accepted() const { return accepted_; }
  void resume(std::int64_t tried, std::int64_t accepted) { tried_ = tried, accepted_ = accepted; }

 private:
  SwapSettings settings_;
  std::uint64_t seed_;
  std::int64_t tried_ = 0, accepted_ = 0;
};

/// The two atoms exchange elements where they are; each keeps its id and its kinetic energy. Types of ghosts,
/// forces and energies are then out of date. Collective.
void exchange_elements(const Communicator& comm, Particles& p, const AtomPair& pair);

/// Whether the atoms of all ranks are of two elements at least. Collective.
bool has_two_elements(const Communicator& comm, const Particles& p);

}  // namespace wafermark::tungsten
