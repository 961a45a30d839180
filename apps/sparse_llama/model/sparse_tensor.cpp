#include "sparse_llama/model/sparse_tensor.hpp"

#include <fmt/format.h>

#include <bit>

#include "common/errors.hpp"

namespace wafermark::llama {
namespace {

constexpr const char* parts[] = {".shape", ".compressed", ".bitmask", ".row_offsets"};

}  // namespace

bool is_sparse_tensor(const TensorHolder& holder, const std::string& name) {
  return holder(name) == nullptr && holder(name + ".bitmask") != nullptr;
}

std::vector<std::string> parts_of_sparse_tensor(const TensorHolder& holder, const std::string& name) {
  std::vector<std::string> names;
  for (const char* part : parts)
    if (holder(name + part) != nullptr) names.push_back(name + part);
  return names;
}

void read_sparse_tensor(const TensorHolder& holder, const std::string& name, DenseMatrix& matrix) {
  const auto part = [&](const char* suffix) -> const SafetensorsFile& {
    const SafetensorsFile* file = holder(name + suffix);
    if (file == nullptr)
      throw InputError(fmt::format("{}: found no tensor {}{}, expected one",
                                   holder(name + ".bitmask")->path(), name, suffix));
    return *file;
  };
  const auto expect = [&](const char* suffix, bool right, const std::string& found,
                          const std::string& expected) {
    if (!right)
      throw InputError(fmt::format("{}: \"{}{}\": found {}, expected {}", part(suffix).path(), name, suffix,
                                   found, expected));
  };
  const std::int64_t rows = matrix.rows, columns = matrix.columns, row_bytes = (columns + 7) / 8;
  const auto shape = part(".shape").read_integers(name + ".shape", {2});
  expect(".shape", shape[0] == rows && shape[1] == columns, fmt::format("[{},{}]", shape[0], shape[1]),
         fmt::format("[{},{}]", rows, columns));
  const auto mask = part(".bitmask").read_bytes(name + ".bitmask", {rows, row_bytes});
  std::vector<std::int64_t> begin(std::size_t(rows) + 1, 0);  // of each row's values
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::uint8_t* bits = mask.data() + r * row_bytes;
    std::int64_t stored = 0;
    for (std::int64_t i = 0; i < row_bytes; ++i) stored += std::popcount(bits[i]);
    const bool within = columns % 8 == 0 || (bits[row_bytes - 1] >> (columns % 8)) == 0;
    expect(".bitmask", within, fmt::format("bits beyond column {} in row {}", columns - 1, r), "none");
    begin[std::size_t(r) + 1] = begin[std::size_t(r)] + stored;
  }
  if (holder(name + ".row_offsets") != nullptr) {
    const auto offsets = part(".row_offsets").read_integers(name + ".row_offsets", {rows});
    for (std::int64_t r = 0; r < rows; ++r)
      expect(".row_offsets", offsets[std::size_t(r)] == begin[std::size_t(r)],
             fmt::format("{} for row {}", offsets[std::size_t(r)], r),
             fmt::format("{}", begin[std::size_t(r)]));
  }
  const std::vector<float> values = part(".compressed").read_flat(name + ".compressed", begin.back());
  matrix.values.assign(std::size_t(rows * columns), 0.0f);
  std::size_t next = 0;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      if ((mask[std::size_t(r * row_bytes + c / 8)] >> (c % 8) & 1) != 0) matrix.row(r)[c] = values[next++];
}

}  // namespace wafermark::llama
