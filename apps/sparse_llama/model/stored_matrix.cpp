#include "sparse_llama/model/stored_matrix.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"

namespace wafermark::llama {

void StoredMatrix::row(std::int64_t row, std::int64_t first, std::int64_t count, float* out) const {
  decode(row, first, count, out);
  const std::int64_t bad = first_not_a_number(out, count);
  if (bad < 0) return;
  const std::int64_t place = row * columns_ + first + bad;
  for (std::int64_t known = bad_.load(); place < known && !bad_.compare_exchange_weak(known, place);)
    continue;
}

void StoredMatrix::expect_numbers() const {
  const std::int64_t bad = bad_.load();
  if (bad == none) return;
  float value = 0;
  decode(bad / columns_, bad % columns_, 1, &value);
  throw InputError(fmt::format("{}: found {} as element {}, expected a number", where_, value, bad));
}

}  // namespace wafermark::llama
