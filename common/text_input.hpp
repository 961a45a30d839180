// Text files as people keep them: plain, or compressed by gzip, bzip2, xz or zstd.
#pragma once

#include <istream>
#include <memory>
#include <string>

namespace wafermark {

/// Opens `path` to be read from its beginning, decompressing as it is read; a UTF-8 byte order mark is passed
/// over. `expected` ends the messages. Throws InputError "PATH: ..." for what cannot be read or is no text:
/// folders and binary files, known kinds by their name. The stream itself throws InputError while it is read
/// when the compressed data are damaged or cut off.
std::unique_ptr<std::istream> open_text(const std::string& path, const std::string& expected);

/// `path` without an ending that names a compression (.gz, .bz2, .xz, .zst).
std::string without_compression(const std::string& path);

}  // namespace wafermark
