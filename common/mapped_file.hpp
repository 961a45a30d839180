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

/// Asks the kernel to read these bytes of a mapped file into its cache by the time that they are looked at. A
/// wish, never an error.
void expect_reading(std::string_view bytes);

/// The pages of these bytes of a mapped file count no longer as this process's memory; whoever looks at them
/// again gets them back. Those that other bytes share stay.
void let_go(std::string_view bytes);

}  // namespace wafermark
