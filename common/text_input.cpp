#include "common/text_input.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <streambuf>
#include <string_view>
#include <vector>

#include "common/errors.hpp"

namespace wafermark {
namespace {

/// Where the decompressed bytes come from: at most `n` of them, 0 at the end.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::size_t read(char* to, std::size_t n) = 0;
};

class PlainSource final : public Source {
 public:
  explicit PlainSource(const std::string& path) : path_(path), file_(path, std::ios::binary) {}
  std::size_t read(char* to, std::size_t n) override {
    file_.read(to, static_cast<std::streamsize>(n));
    if (file_.bad()) throw InputError(fmt::format("{}: cannot be read: {}", path_, std::strerror(errno)));
    return static_cast<std::size_t>(file_.gcount());
  }

 private:
  std::string path_;
  std::ifstream file_;
};

/// zlib's own reader: unlike libarchive it compares the check sums.
class GzipSource final : public Source {
 public:
  explicit GzipSource(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  }
  ~GzipSource() override { gzclose_r(file_); }
  std::size_t read(char* to, std::size_t n) override {
    const int got = gzread(file_, to, static_cast<unsigned>(n));
    int code = Z_OK;
    const std::string why = gzerror(file_, &code);
    // zlib hands out what a file holds that was cut off, and only then says so.
    if (got < 0 || code != Z_OK)
      throw InputError(fmt::format("{}: found damaged gzip data ({}), expected a whole file", path_,
                                   code == Z_BUF_ERROR ? "cut off" : why.substr(why.rfind(": ") + 1)));
    return static_cast<std::size_t>(got);
  }

 private:
  std::string path_;
  gzFile file_;
};

class ArchiveSource final : public Source {
 public:
  ArchiveSource(const std::string& path, const char* kind)
      : path_(path), kind_(kind), archive_(archive_read_new(), &archive_read_free) {
    archive* const a = archive_.get();
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    check(archive_read_open_filename(a, path.c_str(), 1 << 16));
    archive_entry* entry = nullptr;
    check(archive_read_next_header(a, &entry));
  }
  std::size_t read(char* to, std::size_t n) override {
    if (ended_) return 0;
    const la_ssize_t got = archive_read_data(archive_.get(), to, n);
    check(got < 0 ? static_cast<int>(got) : ARCHIVE_OK);
    ended_ = got == 0;
    return static_cast<std::size_t>(got);
  }

 private:
  void check(int code) {
    ended_ = code == ARCHIVE_EOF;
    if (code == ARCHIVE_OK || code == ARCHIVE_EOF) return;
    const char* why = archive_error_string(archive_.get());
    const std::string text = why == nullptr ? "damaged" : why;
    archive_clear_error(archive_.get());
    throw InputError(
        fmt::format("{}: found damaged {} data ({}), expected a whole file", path_, kind_, text));
  }

  std::string path_;
  const char* kind_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
  bool ended_ = false;
};

class SourceBuffer final : public std::streambuf {
 public:
  explicit SourceBuffer(std::unique_ptr<Source> source) : source_(std::move(source)), block_(1 << 16) {}
  /// The first bytes, which stay to be read.
  std::string_view head() {
    if (gptr() == egptr()) underflow();
    return {gptr(), static_cast<std::size_t>(egptr() - gptr())};
  }
  void skip(int n) { gbump(n); }

 protected:
  int_type underflow() override {
    const std::size_t got = source_->read(block_.data(), block_.size());
    setg(block_.data(), block_.data(), block_.data() + got);
    return got == 0 ? traits_type::eof() : traits_type::to_int_type(block_[0]);
  }

 private:
  std::unique_ptr<Source> source_;
  std::vector<char> block_;
};

class SourceStream final : public std::istream {
 public:
  explicit SourceStream(std::unique_ptr<Source> source) : std::istream(nullptr), buffer(std::move(source)) {
    rdbuf(&buffer);
    exceptions(std::ios::badbit);  // what the source throws comes through
  }
  SourceBuffer buffer;
};

struct Magic {
  std::string_view bytes;
  const char* name;
};
using namespace std::string_view_literals;
constexpr Magic gzip{"\x1f\x8b"sv, "gzip"}, bzip2{"BZh"sv, "bzip2"},
    xz{"\xfd"
       "7zXZ\0"sv,
       "xz"},
    zstd{"\x28\xb5\x2f\xfd"sv, "zstd"};
constexpr Magic foreign[] = {
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file"},
    {"CDF\1"sv, "a NetCDF file"},
    {"CDF\2"sv, "a NetCDF file"},
    {"CDF\5"sv, "a NetCDF file"},
    {"LammpS RestartT"sv, "a binary restart file of LAMMPS (write_data makes a text)"},
    {"PK\3\4"sv, "a zip archive"},
    {"\x04\x22\x4d\x18"sv, "lz4 data"},
    {"\x1f\x9d"sv, "data of the old compress program"},
    {"version https://git-lfs"sv, "a git-lfs pointer (git lfs pull brings the file)"}};

std::unique_ptr<Source> make_source(const std::string& path, std::string_view start) {
  if (start.starts_with(gzip.bytes)) return std::make_unique<GzipSource>(path);
  for (const Magic& m : {bzip2, xz, zstd})
    if (start.starts_with(m.bytes) && start.size() > m.bytes.size())
      return std::make_unique<ArchiveSource>(path, m.name);
  return std::make_unique<PlainSource>(path);
}

/// What a file is that is no text, or nothing.
std::string kind_of_binary(std::string_view head) {
  for (const Magic& m : foreign)
    if (head.starts_with(m.bytes)) return m.name;
  if (head.substr(0, 512).find('\0') == std::string_view::npos) return "";
  if (head.find("DUMPATOM") == 8 || head.find("DUMPCUSTOM") == 8) return "a binary dump of LAMMPS";
  return "binary data";
}

}  // namespace

std::unique_ptr<std::istream> open_text(const std::string& path, const std::string& expected) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw InputError(fmt::format("{}: found a directory, expected {}", path, expected));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  char start[8] = {};
  file.read(start, sizeof start);
  const std::string_view found(start, static_cast<std::size_t>(file.gcount()));
  file.close();

  auto stream = std::make_unique<SourceStream>(make_source(path, found));
  const std::string_view head = stream->buffer.head();
  if (const std::string kind = kind_of_binary(head); !kind.empty())
    throw InputError(fmt::format("{}:1: found {}, expected {}", path, kind, expected));
  if (head.starts_with("\xef\xbb\xbf")) stream->buffer.skip(3);
  return stream;
}

std::string without_compression(const std::string& path) {
  for (const char* end : {".gz", ".bz2", ".xz", ".zst"})
    if (path.ends_with(end)) return path.substr(0, path.size() - std::strlen(end));
  return path;
}

}  // namespace wafermark
