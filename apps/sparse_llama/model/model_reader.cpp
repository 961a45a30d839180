#include "sparse_llama/model/model_reader.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/checkpoint_reader.hpp"
#include "sparse_llama/model/llama2c_reader.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {

DenseWeights read_model(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw InputError(fmt::format("{}: found no such file, expected a model", path));
  if (fs::is_directory(status)) return read_checkpoint_folder(path);
  // One line for each kind of file, by its extension.
  if (const std::string kind = foreign_kind(MappedFile(path).bytes()); !kind.empty())
    throw InputError(fmt::format("{}: found {}", path, kind));
  if (fs::path(path).extension() == ".bin") return read_llama2c(path);
  throw InputError(fmt::format(
      "{}: found a file of unknown kind, expected a Hugging Face folder, a llama2.c *.bin or our own *.h5",
      path));
}

}  // namespace wafermark::llama
