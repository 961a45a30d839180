#include "tungsten_md/model/swap_settings.hpp"

namespace wafermark::tungsten {

SwapSettings SwapSettings::read(Deck& deck) {
  SwapSettings s;
  s.every = deck.integer("swaps.every_steps", 0,
                         "two atoms of different elements exchange these, or not, as their energy says "
                         "(Metropolis): alloys come to their order; 0: never",
                         {0, 1e15});
  s.attempts = static_cast<int>(
      deck.integer("swaps.attempts", 1, "each time; each takes the energy of all atoms", {1, 1e6}));
  s.temperature_k = deck.number("swaps.temperature_k", 0.0,
                                "that exchanges are accepted at; 0: the thermostat's, or "
                                "temperature.initial_k",
                                {0, 1e6});
  if (!s.on())
    for (const char* key : {"swaps.attempts", "swaps.temperature_k"})
      if (deck.has(key)) deck.reject(key, "swaps.every_steps above 0 beside it");
  return s;
}

}  // namespace wafermark::tungsten
