// Where the parts of our trajectories lie (trajectory.hpp): for their writer and those who mend its files.
#pragma once

#include <string>
#include <vector>

#include "common/hdf5_file.hpp"
#include "tungsten_md/io/frame_digest.hpp"

namespace wafermark::tungsten::layout {

inline const std::string all = "/particles/all";
inline const std::string position = all + "/position", velocity = all + "/velocity",
                         edges = all + "/box/edges";
inline const std::string steps = position + "/step", times = position + "/time";
inline const std::string parameters = "/parameters";
/// An attribute of the parameters: 1 until the writer has closed the file.
inline constexpr const char* being_written = "being_written";

/// Time-dependent elements of the file, all with one entry per frame.
std::vector<std::string> series_of(const Hdf5File& file, const std::vector<std::string>& observables);

/// Frames of which every part is there.
std::uint64_t complete_frames(const Hdf5File& file, const std::vector<std::string>& series);

/// Names of the observables of a file that has frames.
std::vector<std::string> observables_of(const Hdf5File& file);

}  // namespace wafermark::tungsten::layout
