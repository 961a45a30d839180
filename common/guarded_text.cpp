#include "common/guarded_text.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/guarded_process.hpp"
#include "common/hdf5_handle.hpp"

namespace wafermark {
namespace {

constexpr unsigned long text_cpu_seconds = 3;  // a slow file system uses none

bool write_all(int to, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(to, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// The child: opens the file anew, without MPI, and sends each text with its length. Its exit code is 0 when
/// all went well.
int send_texts(const std::string& file, const std::string& object, const std::string& name, int to) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_stdio(access);  // another driver: else the library would share the parent's open file
  const Handle opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  const Handle attribute(H5Aopen_by_name(opened, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose);
  const Handle type(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  const hssize_t n = H5Sget_simple_extent_npoints(space);
  if (n < 0 || H5Tis_variable_str(type) <= 0) return 1;
  std::vector<char*> texts(static_cast<std::size_t>(n), nullptr);
  if (n > 0 && H5Aread(attribute, type, texts.data()) < 0) return 1;
  for (const char* text : texts) {
    const std::uint64_t length = text == nullptr ? 0 : std::strlen(text);
    if (!write_all(to, &length, sizeof length) || !write_all(to, text, length)) return 1;
  }
  return 0;
}

}  // namespace

std::optional<std::vector<std::string>> read_text_guarded(const std::string& file, const std::string& object,
                                                          const std::string& attribute) {
  const auto sent =
      run_guarded([&](int to) { return send_texts(file, object, attribute, to); }, text_cpu_seconds);
  if (!sent) return std::nullopt;
  const std::string& bytes = *sent;
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    if (bytes.size() - at < sizeof length) return std::nullopt;
    std::memcpy(&length, bytes.data() + at, sizeof length);
    at += sizeof length;
    if (length > bytes.size() - at) return std::nullopt;
    texts.push_back(bytes.substr(at, length));
    at += length;
  }
  return texts;
}

}  // namespace wafermark
