// A matrix where it lies in a mapped file, turned into fp32 row by row as somebody asks.
#pragma once

#include <atomic>
#include <limits>
#include <string>
#include <vector>

#include "sparse_llama/model/number_types.hpp"

namespace wafermark::llama {

class StoredMatrix {
 public:
  /// `where`: file and tensor, for messages: "model.safetensors: \"NAME\"".
  StoredMatrix(std::string where, std::int64_t rows, std::int64_t columns)
      : where_(std::move(where)), rows_(rows), columns_(columns) {}
  virtual ~StoredMatrix() = default;
  StoredMatrix(const StoredMatrix&) = delete;
  StoredMatrix& operator=(const StoredMatrix&) = delete;

  /// Before the first row. Throws InputError where the parts of the matrix do not fit each other.
  virtual void prepare() {}
  /// Columns [first, first + count) of a row. Threads may call it together. What is no number is remembered.
  void row(std::int64_t row, std::int64_t first, std::int64_t count, float* out) const;
  /// Throws InputError that names the first element, of those that rows were made of, that was no number.
  void expect_numbers() const;
  /// The bytes of the file that it is made of.
  virtual std::vector<std::string_view> places() const = 0;

 protected:
  virtual void decode(std::int64_t row, std::int64_t first, std::int64_t count, float* out) const = 0;
  const std::string& where() const { return where_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }

 private:
  static constexpr auto none = std::numeric_limits<std::int64_t>::max();
  std::string where_;
  std::int64_t rows_, columns_;
  mutable std::atomic<std::int64_t> bad_{none};  ///< row * columns + column
};

/// All elements one after the other.
class WholeMatrix final : public StoredMatrix {
 public:
  WholeMatrix(std::string where, std::int64_t rows, std::int64_t columns, StoredNumbers numbers)
      : StoredMatrix(std::move(where), rows, columns), numbers_(numbers) {}
  std::vector<std::string_view> places() const override { return {numbers_.bytes}; }

 private:
  void decode(std::int64_t row, std::int64_t first, std::int64_t count, float* out) const override {
    numbers_.decode(row * columns() + first, count, out);
  }
  StoredNumbers numbers_;
};

}  // namespace wafermark::llama
