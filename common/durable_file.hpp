// Files that are there whole or not at all, whatever ends the program or the machine: written under another
// name, pushed to the disk, then renamed, and the folder pushed as well.
#pragma once

#include <cstdint>
#include <string>

namespace wafermark {

/// Writes a text file under a temporary name, then renames it. Throws std::runtime_error that names the file
/// when it cannot be written (disk full, no permission); the former file is then untouched.
void write_text_file(const std::string& path, const std::string& text);

/// Pushes what `from` holds to the disk, renames it to `to`, and pushes the folder: after a loss of power
/// there is the former `to` or the new one. Throws std::runtime_error.
void put_in_place(const std::string& from, const std::string& to);

/// Renames within a folder, durably; `from` must be complete already. Throws std::runtime_error.
void rename_durably(const std::string& from, const std::string& to);

/// Makes sure that `bytes` from `offset` on can be written to the file `path`, and reserves them where the
/// file system can (fallocate): a library that meets a full disk in the middle of its own structures may not
/// come back from it. "" when there is room, else the reason. The file's size stays.
std::string reserve_room(const std::string& path, std::int64_t offset, std::int64_t bytes);

}  // namespace wafermark
