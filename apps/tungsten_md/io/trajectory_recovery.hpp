// Trajectories whose writer did not come to close them: a full disk, a lost node, a kill. HDF5 has then
// written some of its own structures and not others; such a file may read well and yet not be fit to be
// written on.
#pragma once

#include <optional>
#include <string>

#include "common/communicator.hpp"

namespace wafermark::tungsten {

/// Whether the file was closed by its writer, and its last frame up to `step` reads well. Collective. Throws
/// InputError when it is no trajectory of ours, or cannot be read.
bool is_closed_well(const Communicator& comm, const std::string& path, std::int64_t step);

/// Copies the frames up to `step` that read well, by their digests, to a new file that takes the place of
/// `path`. Where frames are lost (fewer than `expected`, or than the file seems to have), the former file is
/// set aside and a note on stderr says so; no frame goes otherwise. Collective. Throws InputError as above;
/// std::runtime_error when the copy cannot be written: the file is then untouched.
void rewrite_trajectory(const Communicator& comm, const std::string& path, std::int64_t step,
                        std::uint64_t expected);

/// Gives a file that is about to be replaced another name, the first free one of NAME.damaged.EXT,
/// NAME.damaged-2.EXT, ..., and returns that. Collective. Throws std::runtime_error.
std::string set_aside(const Communicator& comm, const std::string& path);

}  // namespace wafermark::tungsten
