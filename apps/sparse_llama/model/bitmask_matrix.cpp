#include "sparse_llama/model/bitmask_matrix.hpp"

#include <fmt/format.h>

#include <bit>

#include "common/errors.hpp"

namespace wafermark::llama {
namespace {

constexpr const char* part_names[] = {".shape", ".compressed", ".bitmask", ".row_offsets"};

class BitmaskMatrix final : public StoredMatrix {
 public:
  BitmaskMatrix(const TensorHolder& holder, const std::string& name, std::int64_t rows, std::int64_t columns)
      : StoredMatrix(fmt::format("{}: \"{}\"", file_with(holder, name, ".compressed").path(), name), rows,
                     columns),
        name_(name),
        values_file_(file_with(holder, name, ".compressed").path()),
        mask_file_(file_with(holder, name, ".bitmask").path()),
        row_bytes_((columns + 7) / 8) {
    const auto shape = file_with(holder, name, ".shape").read_integers(name + ".shape", {2});
    if (shape[0] != rows || shape[1] != columns)
      refuse(file_with(holder, name, ".shape").path(), ".shape", fmt::format("[{},{}]", shape[0], shape[1]),
             fmt::format("[{},{}]", rows, columns));
    mask_ = file_with(holder, name, ".bitmask").bytes(name + ".bitmask", {rows, row_bytes_});
    if (const SafetensorsFile* file = holder(name + ".row_offsets"); file != nullptr) {
      offsets_file_ = file->path();
      offsets_ = file->read_integers(name + ".row_offsets", {rows});
    }
    values_ = file_with(holder, name, ".compressed").list(name + ".compressed");
  }

  void prepare() override {
    if (!begin_.empty()) return;
    std::vector<std::int64_t> begin(std::size_t(rows()) + 1, 0);
    for (std::int64_t r = 0; r < rows(); ++r) {
      const std::int64_t stored = bits_before(r, row_bytes_ * 8);
      if (columns() % 8 != 0 && byte(r, row_bytes_ - 1) >> (columns() % 8) != 0)
        refuse(mask_file_, ".bitmask", fmt::format("bits beyond column {} in row {}", columns() - 1, r),
               "none");
      if (const auto i = std::size_t(r); !offsets_.empty() && offsets_[i] != begin[i])
        refuse(offsets_file_, ".row_offsets", fmt::format("{} for row {}", offsets_[i], r),
               fmt::format("{}", begin[i]));
      begin[std::size_t(r) + 1] = begin[std::size_t(r)] + stored;
    }
    const std::int64_t found = std::int64_t(values_.bytes.size()) / row_of(values_.type).bytes;
    if (found != begin.back())
      refuse(values_file_, ".compressed", fmt::format("{} values", found), fmt::format("{}", begin.back()));
    begin_ = std::move(begin);
  }

  std::vector<std::string_view> places() const override { return {mask_, values_.bytes}; }

 private:
  static const SafetensorsFile& file_with(const TensorHolder& holder, const std::string& name,
                                          const char* part) {
    const SafetensorsFile* file = holder(name + part);
    if (file == nullptr)
      throw InputError(fmt::format("{}: found no tensor {}{}, expected one",
                                   holder(name + ".bitmask")->path(), name, part));
    return *file;
  }
  [[noreturn]] void refuse(const std::string& file, const char* part, const std::string& found,
                           const std::string& expected) const {
    throw InputError(fmt::format("{}: \"{}{}\": found {}, expected {}", file, name_, part, found, expected));
  }

  std::uint8_t byte(std::int64_t row, std::int64_t i) const {
    return static_cast<std::uint8_t>(mask_[std::size_t(row * row_bytes_ + i)]);
  }
  bool is_stored(std::int64_t row, std::int64_t column) const {
    return (byte(row, column / 8) >> (column % 8) & 1) != 0;
  }
  std::int64_t bits_before(std::int64_t row, std::int64_t column) const {
    std::int64_t bits = 0;
    for (std::int64_t i = 0; i < column / 8; ++i) bits += std::popcount(byte(row, i));
    if (column % 8 != 0)
      bits += std::popcount(std::uint8_t(byte(row, column / 8) & ((1u << (column % 8)) - 1)));
    return bits;
  }

  void decode(std::int64_t row, std::int64_t first, std::int64_t count, float* out) const override {
    thread_local std::vector<float> values;
    const std::int64_t before = bits_before(row, first), stored = bits_before(row, first + count) - before;
    values.resize(std::size_t(stored));
    values_.decode(begin_[std::size_t(row)] + before, stored, values.data());
    const float* next = values.data();
    for (std::int64_t c = 0; c < count; ++c) out[c] = is_stored(row, first + c) ? *next++ : 0.0f;
  }

  std::string name_, values_file_, mask_file_, offsets_file_;
  std::int64_t row_bytes_;
  std::string_view mask_;
  StoredNumbers values_;
  std::vector<std::int64_t> offsets_;  ///< as the file says; empty: it does not
  std::vector<std::int64_t> begin_;    ///< of each row's values, and their end
};

}  // namespace

bool is_bitmask_matrix(const TensorHolder& holder, const std::string& name) {
  return holder(name) == nullptr && holder(name + ".bitmask") != nullptr;
}

std::vector<std::string> parts_of_bitmask_matrix(const TensorHolder& holder, const std::string& name) {
  std::vector<std::string> names;
  for (const char* part : part_names)
    if (holder(name + part) != nullptr) names.push_back(name + part);
  return names;
}

std::unique_ptr<StoredMatrix> bitmask_matrix(const TensorHolder& holder, const std::string& name,
                                             std::int64_t rows, std::int64_t columns) {
  return std::make_unique<BitmaskMatrix>(holder, name, rows, columns);
}

}  // namespace wafermark::llama
