#include "sparse_llama/model/model_reader.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/errors.hpp"
#include "common/mapped_file.hpp"
#include "sparse_llama/model/checkpoint_reader.hpp"
#include "sparse_llama/model/gguf_file.hpp"
#include "sparse_llama/model/gguf_reader.hpp"
#include "sparse_llama/model/llama2c_reader.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {

WeightSource model_source(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw InputError(fmt::format("{}: found no such file, expected a model", path));
  const auto source = [](FileModel model) {
    return file_source(std::make_shared<const FileModel>(std::move(model)));
  };
  if (fs::is_directory(status)) return source(open_checkpoint_folder(path));
  if (is_gguf(MappedFile(path).bytes())) return source(open_gguf(path));
  if (const std::string kind = foreign_kind(MappedFile(path).bytes()); !kind.empty())
    throw InputError(fmt::format("{}: found {}", path, kind));
  if (fs::path(path).extension() == ".bin") return source(open_llama2c(path));
  throw InputError(
      fmt::format("{}: found a file of unknown kind, expected a Hugging Face folder, GGUF, a llama2.c *.bin "
                  "or our own *.h5",
                  path));
}

DenseWeights read_model(const std::string& path) { return dense_weights(model_source(path)); }

}  // namespace wafermark::llama
