// A model whose tensors stay in their files until somebody asks for their rows: what the readers of all kinds
// of files make.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/mapped_file.hpp"
#include "sparse_llama/model/stored_matrix.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

struct FileModel {
  struct Part {
    std::unique_ptr<StoredMatrix> matrix;
    /// Of query and key in files that keep RoPE's pairs side by side: rows of a head are to be read as
    /// halves. 0: they are halves.
    std::int64_t paired_head = 0;
  };
  std::string name;  ///< its path
  Configuration configuration;
  std::vector<std::shared_ptr<const void>> files;  ///< mapped, while this lives
  std::map<std::pair<Matrix, std::int64_t>, Part> matrices;
  std::map<std::pair<Vector, std::int64_t>, std::vector<float>> vectors;
  bool bf16 = false;  ///< all numbers are of this type
};

/// A vector's numbers. Throws InputError that begins with `where` where one is none.
std::vector<float> read_vector(const StoredNumbers& numbers, std::int64_t length, const std::string& where);

/// Row of the file that holds row `row` of a matrix whose heads of head_dim rows keep pairs side by side.
inline std::int64_t row_of_pairs(std::int64_t row, std::int64_t head_dim) {
  const std::int64_t half = head_dim / 2, in_head = row % head_dim;
  return row - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
}

/// Reads ahead by a layer while rows of one are asked for, and lets go of a matrix' pages when it is closed.
WeightSource file_source(std::shared_ptr<const FileModel> model);

}  // namespace wafermark::llama
