// Texts that users name: prompts, calibration and held-out texts.
#pragma once

#include <string>

namespace wafermark::llama {

/// The bytes of a file, a pipe included. Throws InputError: not there, a folder, not readable, a git-lfs
/// pointer.
std::string read_text(const std::string& path);

}  // namespace wafermark::llama
