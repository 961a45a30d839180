#include "sparse_llama/model/file_model.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

const FileModel::Part& part_of(const FileModel& model, Matrix matrix, std::int64_t layer) {
  const bool tied = matrix == Matrix::head && model.configuration.tied_embeddings;
  return model.matrices.at({tied ? Matrix::embedding : matrix, layer});
}

/// The matrices of a block; behind the last one those of the ends.
void read_ahead(const FileModel& model, std::int64_t layer) {
  const auto expect = [&](Matrix matrix, std::int64_t at) {
    for (const std::string_view bytes : part_of(model, matrix, at).matrix->places()) expect_reading(bytes);
  };
  if (layer >= model.configuration.layers) {
    expect(Matrix::embedding, 0);
    expect(Matrix::head, 0);
    return;
  }
  for (int m = int(Matrix::query); m <= int(Matrix::down); ++m) expect(Matrix(m), layer);
}

}  // namespace

std::vector<float> read_vector(const StoredNumbers& numbers, std::int64_t length, const std::string& where) {
  std::vector<float> values(static_cast<std::size_t>(length));
  numbers.decode(0, length, values.data());
  if (const std::int64_t bad = first_not_a_number(values.data(), length); bad >= 0)
    throw InputError(
        fmt::format("{}: found {} as element {}, expected a number", where, values[std::size_t(bad)], bad));
  return values;
}

WeightSource file_source(std::shared_ptr<const FileModel> model) {
  WeightSource source;
  source.name = model->name;
  source.configuration = model->configuration;
  source.bf16 = model->bf16;
  source.open = [model](Matrix matrix, std::int64_t layer) {
    part_of(*model, matrix, layer).matrix->prepare();
    if (matrix != Matrix::query) return;
    if (layer == 0) read_ahead(*model, 0);
    read_ahead(*model, layer + 1);
  };
  source.row = [model](Matrix matrix, std::int64_t layer, std::int64_t row, std::int64_t first,
                       std::int64_t count, float* out) {
    const FileModel::Part& part = part_of(*model, matrix, layer);
    part.matrix->row(part.paired_head > 0 ? row_of_pairs(row, part.paired_head) : row, first, count, out);
  };
  source.close = [model](Matrix matrix, std::int64_t layer) {
    const StoredMatrix& stored = *part_of(*model, matrix, layer).matrix;
    for (const std::string_view bytes : stored.places()) let_go(bytes);
    stored.expect_numbers();
  };
  source.vector = [model](Vector vector, std::int64_t layer) { return model->vectors.at({vector, layer}); };
  return source;
}

}  // namespace wafermark::llama
