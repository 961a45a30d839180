// Matrices that are stored without their zeros, in the layouts of compressed-tensors:
//   NAME.shape        [2], rows and columns
//   NAME.compressed   the values that are not zero, row by row
//   NAME.bitmask      [rows, (columns + 7) / 8], a bit for each column, the lowest first: is it stored?
//   NAME.row_offsets  [rows], where a row's values begin (sparse-bitmask; sparse-24-bitmask has none)
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sparse_llama/model/dense_weights.hpp"
#include "sparse_llama/model/safetensors_file.hpp"

namespace wafermark::llama {

/// Finds the file with a tensor of this name; null where there is none.
using TensorHolder = std::function<const SafetensorsFile*(const std::string& name)>;

/// Whether the matrix `name` is stored so.
bool is_sparse_tensor(const TensorHolder& holder, const std::string& name);

/// The names of its parts that are there.
std::vector<std::string> parts_of_sparse_tensor(const TensorHolder& holder, const std::string& name);

/// Fills `matrix`, whose rows and columns say what shape is expected. Throws InputError that names file and
/// part: another shape, a number of values that is not the number of bits, bits beyond the columns, offsets
/// that are not where the rows begin.
void read_sparse_tensor(const TensorHolder& holder, const std::string& name, DenseMatrix& matrix);

}  // namespace wafermark::llama
