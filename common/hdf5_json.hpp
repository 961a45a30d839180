// A JSON document in an HDF5 file, with a digest beside it: what is read back is what was written, or an
// error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/hdf5_file.hpp"

namespace wafermark {

/// Writes `document` as the byte array `path`. Collective, the same document on all ranks.
void write_json(Hdf5File& file, const Communicator& comm, const std::string& path,
                const nlohmann::json& document);

/// Reads it on all ranks. Throws std::runtime_error, the same on all ranks, when it is damaged, and
/// InputError when there is none. Collective.
nlohmann::json read_json(const Hdf5File& file, const std::string& path);

}  // namespace wafermark
