// A file's bytes as memory, without a copy of them: the kernel reads pages as they are looked at and drops
// them under pressure.
#pragma once

#include <string>
#include <string_view>

namespace wafermark {

/// Read-only for as long as the object lives. The file must not shrink meanwhile (the process would get
/// SIGBUS).
class MappedFile {
 public:
  /// Throws InputError that names the path when it is missing, unreadable, not a regular file, or the pointer
  /// that git-lfs leaves in place of a file that nobody fetched.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;  // null for an empty file
  std::size_t size_ = 0;
};

}  // namespace wafermark
