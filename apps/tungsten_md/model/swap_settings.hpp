// Monte Carlo exchanges of elements between atoms: the deck's [swaps].
#pragma once

#include <cstdint>

#include "common/deck.hpp"

namespace wafermark::tungsten {

struct SwapSettings {
  std::int64_t every = 0;      ///< steps between exchanges; 0: none
  int attempts = 1;            ///< each time
  double temperature_k = 0.0;  ///< that they are accepted at; 0: the thermostat's, or temperature.initial_k

  bool on() const { return every > 0; }
  static SwapSettings read(Deck& deck);
};

}  // namespace wafermark::tungsten
