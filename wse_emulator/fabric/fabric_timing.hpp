// The numbers of a fabric that the patterns' timing rules need; a machine file gives them (machine.hpp).
#pragma once

namespace wafermark::wse {

struct FabricTiming {
  int hop_cycles = 1;       ///< router to neighbouring router
  int ramp_cycles = 2;      ///< router to core and core to router, T_R of Luczynski et al. (HPDC'24)
  int words_per_cycle = 1;  ///< of a link and direction, and of the ramp
  int colors = 24;          ///< virtual channels
  int queue_words = 4;      ///< of an input queue
};

}  // namespace wafermark::wse
