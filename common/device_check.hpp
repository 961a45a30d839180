// Are there devices of the kind that this program was built for? Asked before Kokkos starts, which ends the
// program in its own way where there is none.
#pragma once

#include <string>

namespace wafermark {

struct Devices {
  bool expected = false;  ///< not in a build for CPUs
  int count = 0;          ///< that this process can use
  std::string said;       ///< by the driver, or of it, when there is none
};

/// Starts nothing on a device.
Devices find_devices();

/// Throws InputError when devices are expected and there is none.
void expect_devices(const Devices& devices);

}  // namespace wafermark
