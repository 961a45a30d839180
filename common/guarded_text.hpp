// Texts of variable length in HDF5 files: stored in heaps whose damage the library can follow without end.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace wafermark {

/// The texts of an attribute of variable-length strings, read in a process of its own that may use a few
/// seconds of processor time; none when that process crashes, or does not come to an end in them. Knows no
/// MPI: one rank calls it.
std::optional<std::vector<std::string>> read_text_guarded(const std::string& file, const std::string& object,
                                                          const std::string& attribute);

}  // namespace wafermark
