#include "sparse_llama/model/text_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"

namespace wafermark::llama {

std::string read_text(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return std::string(MappedFile(path).bytes());
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path, error))
    throw InputError(fmt::format("{}: cannot be read, expected a text", path));
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace wafermark::llama
