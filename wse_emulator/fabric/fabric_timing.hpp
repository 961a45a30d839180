// The numbers of a fabric that the patterns' timing rules need; a machine file gives them (machine.hpp).
#pragma once

#include <cmath>
#include <cstdint>

namespace wafermark::wse {

struct FabricTiming {
  int hop_cycles = 1;              ///< router to neighbouring router
  int ramp_cycles = 2;             ///< router to core and core to router, T_R of Luczynski et al. (HPDC'24)
  double cycles_per_word = 1.0;    ///< of a link and direction, and of the ramp; 9/8 where 8 words take 9
  int multicast_issue_cycles = 0;  ///< before the first word of a broadcast or multicast leaves
  int colors = 24;                 ///< virtual channels
  int queue_words = 4;             ///< of an input queue

  /// Cycles begun by so many words, one after the other.
  std::int64_t cycles_of(std::int64_t words) const {
    if (cycles_per_word == 1.0) return words;
    return static_cast<std::int64_t>(std::ceil(cycles_per_word * static_cast<double>(words) - 1e-9));
  }

  bool operator==(const FabricTiming&) const = default;
};

}  // namespace wafermark::wse
