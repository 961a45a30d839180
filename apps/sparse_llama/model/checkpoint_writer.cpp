#include "sparse_llama/model/checkpoint_writer.hpp"

#include <algorithm>
#include <filesystem>

#include "common/durable_file.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {

void write_tensor(const SafetensorsWriter& file, const WeightSource& source, Matrix matrix,
                  std::int64_t layer) {
  constexpr std::int64_t elements_together = 1 << 22;
  const auto [rows, columns] = shape_of(source.configuration, matrix);
  const std::int64_t together = std::max<std::int64_t>(1, elements_together / columns);
  const std::string name = tensor_name(matrix, layer);
  source.open(matrix, layer);
  for (std::int64_t r = 0; r < rows; r += together) {
    const DenseMatrix block = dense_rows(source, matrix, layer, r, std::min(together, rows - r));
    file.write(name, r * columns, block.values.data(), block.rows * columns);
  }
  source.close(matrix, layer);
}

void write_tensor(const SafetensorsWriter& file, const WeightSource& source, Vector vector,
                  std::int64_t layer) {
  const std::vector<float> values = source.vector(vector, layer);
  file.write(tensor_name(vector, layer), 0, values.data(), std::int64_t(values.size()));
}

void write_checkpoint_folder(const std::string& folder, const WeightSource& source, StoredType type,
                             const std::string& made_from, const Companions& companions) {
  const Configuration& c = source.configuration;
  const nlohmann::json config = config_of(c, made_from, type == StoredType::bf16 ? "bfloat16" : "float32");
  std::filesystem::create_directories(folder);
  copy_companions(companions, folder);
  const std::string path = folder + "/model.safetensors", temporary = path + ".tmp";
  try {
    const SafetensorsWriter file(temporary, c, type, SafetensorsWriter::Start::anew);
    each_place(c, [&](auto part, std::int64_t layer) { write_tensor(file, source, part, layer); });
  } catch (...) {
    std::error_code none;
    std::filesystem::remove(temporary, none);
    throw;
  }
  put_in_place(temporary, path);
  write_text_file(folder + "/config.json", config.dump(2) + "\n");
}

}  // namespace wafermark::llama
