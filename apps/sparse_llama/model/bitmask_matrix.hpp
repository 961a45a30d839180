// Matrices that are stored without their zeros, in the layouts of compressed-tensors:
//   NAME.shape        [2], rows and columns
//   NAME.compressed   the values that are not zero, row by row
//   NAME.bitmask      [rows, (columns + 7) / 8], a bit for each column, the lowest first: is it stored?
//   NAME.row_offsets  [rows], where a row's values begin (sparse-bitmask; sparse-24-bitmask has none)
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sparse_llama/model/safetensors_file.hpp"
#include "sparse_llama/model/stored_matrix.hpp"

namespace wafermark::llama {

/// Finds the file with a tensor of this name; null where there is none.
using TensorHolder = std::function<const SafetensorsFile*(const std::string& name)>;

/// Whether the matrix `name` is stored so.
bool is_bitmask_matrix(const TensorHolder& holder, const std::string& name);

/// The names of its parts that are there.
std::vector<std::string> parts_of_bitmask_matrix(const TensorHolder& holder, const std::string& name);

/// The matrix. Throws InputError that names file and part for a part that is not there or of another shape;
/// prepare() does for a number of values that is not the number of bits, bits beyond the columns, offsets
/// that are not where the rows begin.
std::unique_ptr<StoredMatrix> bitmask_matrix(const TensorHolder& holder, const std::string& name,
                                             std::int64_t rows, std::int64_t columns);

}  // namespace wafermark::llama
