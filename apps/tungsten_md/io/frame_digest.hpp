// Digests of the frames of our own trajectories, in /parameters/frame_digest: reading a frame tells whether
// it or what all frames share is damaged. HDF5's own checksums are not used: their collective form gathers
// every chunk's description on every rank.
#pragma once

#include <vector>

#include "common/hdf5_file.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// The path of the digests, one a frame.
inline constexpr const char* frame_digests = "/parameters/frame_digest";

/// Rank r's part of n rows: equal parts, the first ranks one more.
Rows even_rows(const Communicator& comm, std::uint64_t n);

/// Of what all frames share: ids and species of /particles/all (`rows`: this rank's), parameters, boundary.
/// Collective.
std::uint64_t digest_of_constants(const Communicator& comm, const Hdf5File& file, const Rows& rows);

/// Of one frame; `lengths` of the box, `x` and `v` [row][3] as they are stored, `v` empty where there are
/// none. Collective.
std::int64_t digest_of_frame(const Communicator& comm, std::uint64_t constants, std::int64_t step,
                             double time_ps, const Vec3& lengths, const std::vector<double>& x,
                             const std::vector<double>& v, const Rows& rows);

}  // namespace wafermark::tungsten
