// Whether HDF5 lives through the structure of a file: 1.10 has places where damage makes it crash or loop.
#pragma once

#include <string>

namespace wafermark {

/// Opens every object and attribute of an HDF5 file and reads a few values of every array, in a process of
/// its own that may use some seconds of processor time. False when it crashes or does not come to an end;
/// what HDF5 refuses by itself does not count. Knows no MPI: one rank calls it.
bool survives_reading(const std::string& file);

}  // namespace wafermark
