// A file told from others by its content.
#pragma once

#include <string>

namespace wafermark {

/// SHA-256 of a file in hexadecimal digits, as `sha256sum` prints it. Throws InputError when it cannot be
/// read.
std::string sha256_of_file(const std::string& path);

}  // namespace wafermark
