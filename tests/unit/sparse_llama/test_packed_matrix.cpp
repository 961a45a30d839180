// Every storage format and value type holds the matrix within the value type's rounding, takes the bits it
// says, and multiplies as the dense matrix does, one vector or several, by rows or by panels.
#include <gmock/gmock.h>

#include <cmath>
#include <random>
#include <set>

#include "common/errors.hpp"
#include "sparse_llama/cluster/active_inputs.hpp"
#include "sparse_llama/cluster/bf16_products.hpp"
#include "sparse_llama/cluster/packed_rows.hpp"

namespace wafermark::llama {
namespace {

/// Of each `of` columns the `kept` after the first are stored where the format has a pattern, else each with
/// the density.
std::vector<float> random_matrix(std::int64_t rows, std::int64_t columns, double density,
                                 const FormatRow& format = row_of(Format::dense)) {
  std::mt19937 engine(std::uint32_t(rows * 1000 + columns));
  std::normal_distribution<float> normal;
  std::bernoulli_distribution kept(density);
  std::vector<float> w(std::size_t(rows * columns));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const std::int64_t place = (std::int64_t(i) % columns + format.of - 1) % format.of;
    w[i] = (format.kept < format.of ? place < format.kept : kept(engine)) ? normal(engine) : 0;
  }
  return w;
}

RowSource rows_of(const std::vector<float>& w, std::int64_t columns) {
  return [&w, columns](std::int64_t row, float* out) { std::copy_n(w.data() + row * columns, columns, out); };
}

struct Case {
  Format format;
  ValueType type;
  std::int64_t rows, columns;
  double density;
  std::int64_t slice;
};

class PackedMatrices : public testing::TestWithParam<Case> {};

/// Largest error of one stored weight: half a unit of what it is rounded to.
double rounding(ValueType type, double largest) {
  return type == ValueType::fp32   ? 0
         : type == ValueType::bf16 ? largest / 256
         : type == ValueType::int4 ? largest * 0.23  // of the other sign than the largest: 9 sevenths at most
                                   : largest / 127 * 0.51 + largest / 256;
}

TEST_P(PackedMatrices, HoldTheMatrix) {
  const Case& c = GetParam();
  const auto w = random_matrix(c.rows, c.columns, c.density, row_of(c.format));
  const PackedMatrix m = pack(c.rows, c.columns, c.format, c.type, rows_of(w, c.columns), "matrix", c.slice);
  const double largest =
      *std::max_element(w.begin(), w.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  std::vector<float> row(std::size_t(c.columns));
  for (std::int64_t r = 0; r < c.rows; ++r) {
    unpack_row(m, r, row.data());
    for (std::int64_t j = 0; j < c.columns; ++j) {
      const float exact = w[std::size_t(r * c.columns + j)];
      ASSERT_NEAR(row[std::size_t(j)], exact, rounding(c.type, std::abs(largest))) << r << " " << j;
      ASSERT_TRUE(exact != 0 || row[std::size_t(j)] == 0);
    }
  }
}

TEST_P(PackedMatrices, HollowOnesHaveTheSameBytes) {
  const Case& c = GetParam();
  const auto w = random_matrix(c.rows, c.columns, c.density, row_of(c.format));
  const PackedMatrix m = pack(c.rows, c.columns, c.format, c.type, rows_of(w, c.columns), "matrix", c.slice);
  const double density = double(m.stored) / double(c.rows * c.columns);
  const PackedMatrix hollow = hollow_matrix(c.rows, c.columns, c.format, c.type, density, c.slice);
  EXPECT_TRUE(hollow.hollow());
  EXPECT_EQ(hollow.values.size(), 0u);
  const bool guessed = row_of(c.format).kept < row_of(c.format).of ||  // rows end within a pattern
                       (row_of(c.format).layout == Layout::listed && row_of(c.type).scaled) ||  // last groups
                       (row_of(c.format).layout == Layout::masked && c.type == ValueType::int4);  // halves
  EXPECT_NEAR(double(hollow.bytes()), double(m.bytes()), guessed ? 0.03 * double(m.bytes()) + 8 : 0.5);
}

TEST_P(PackedMatrices, MultiplyAsTheDenseMatrixDoes) {
  const Case& c = GetParam();
  const auto w = random_matrix(c.rows, c.columns, c.density, row_of(c.format));
  const PackedMatrix m = pack(c.rows, c.columns, c.format, c.type, rows_of(w, c.columns), "matrix", c.slice);
  std::vector<float> row(std::size_t(c.columns));
  constexpr std::int64_t most = 70;
  Rows x("x", most, c.columns), out("out", most, c.rows);
  const auto host_x = Kokkos::create_mirror_view(x);
  std::mt19937 engine(5);
  std::normal_distribution<float> normal;
  for (std::int64_t v = 0; v < most; ++v)
    for (std::int64_t j = 0; j < c.columns; ++j) host_x(v, j) = normal(engine);
  Kokkos::deep_copy(x, host_x);
  std::vector<std::pair<bool, Bf16Products>> calls{{false, Bf16Products::fp32}, {true, Bf16Products::fp32}};
  if (c.type == ValueType::bf16 && has_bf16_pairs())
    calls.insert(calls.end(), {{false, Bf16Products::pairs}, {true, Bf16Products::pairs}});
  for (const std::int64_t vectors : {1, 2, 3, 7, 13, 16, 19, 70})
    for (const auto& [accumulate, bf16] : calls) {
      Kokkos::deep_copy(out, 1.0f);
      MatrixVectors(bf16).multiply(m, x, vectors, accumulate, out);
      const auto y = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
      for (std::int64_t r = 0; r < c.rows; ++r) {
        unpack_row(m, r, row.data());  // its rounding is checked above; here only the product's own counts
        for (std::int64_t v = 0; v < most; ++v) {
          double exact = accumulate || v >= vectors ? 1 : 0, size = 1;
          if (v < vectors)
            for (std::int64_t j = 0; j < c.columns; ++j) {
              exact += double(row[std::size_t(j)]) * host_x(v, j);
              size += std::abs(double(row[std::size_t(j)]) * host_x(v, j));
            }
          // int8 rounds vectors to 1 / 8191 of the largest element, int4 to 1 / 127, products in pairs to 16
          // bits of each.
          const double own = c.type == ValueType::int8     ? 1.2e-4
                             : c.type == ValueType::int4   ? 1.2e-2
                             : bf16 == Bf16Products::pairs ? 8e-6
                                                           : 1e-6;
          ASSERT_NEAR(y(v, r), exact, size * own) << r << " of " << vectors;
        }
      }
    }
}

/// Embeddings, also those that are in tiles for the sake of the head; zeros for a token of another rank.
TEST_P(PackedMatrices, DenseOnesGiveSingleRows) {
  const Case& c = GetParam();
  if (row_of(c.format).layout != Layout::whole) return;
  const auto w = random_matrix(c.rows, c.columns, c.density);
  const PackedMatrix m = pack(c.rows, c.columns, c.format, c.type, rows_of(w, c.columns), "matrix", c.slice);
  Kokkos::View<std::int64_t*, MemSpace> numbers("numbers", 3);
  const auto host_numbers = Kokkos::create_mirror_view(numbers);
  host_numbers(0) = c.rows - 1;
  host_numbers(1) = -1;
  host_numbers(2) = 1;
  Kokkos::deep_copy(numbers, host_numbers);
  Rows out("out", 3, c.columns);
  Kokkos::deep_copy(out, NAN);
  MatrixVectors::take_rows(m, numbers, 3, out);
  const auto taken = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
  std::vector<float> row(std::size_t(c.columns));
  for (std::int64_t v = 0; v < 3; ++v) {
    std::fill(row.begin(), row.end(), 0.0f);
    if (host_numbers(v) >= 0) unpack_row(m, host_numbers(v), row.data());
    for (std::int64_t j = 0; j < c.columns; ++j) ASSERT_EQ(taken(v, j), row[std::size_t(j)]) << v << " " << j;
  }
}

/// The same matrix by inputs: rows are added where the vector is not zero, and only there.
TEST_P(PackedMatrices, AddTheRowsOfActiveInputs) {
  const Case& c = GetParam();
  if (c.slice > 1 || !row_of(c.format).by_inputs) return;
  auto w = random_matrix(c.rows, c.columns, c.density);
  const auto active = [](std::int64_t v, std::int64_t row) { return (row + v) % 3 == 1; };
  std::vector<float> row(std::size_t(c.columns));
  constexpr std::int64_t most = 14;
  Rows x("x", most, c.rows), out("out", most, c.columns);
  const auto host_x = Kokkos::create_mirror_view(x);
  std::mt19937 engine(5);
  std::normal_distribution<float> normal;
  for (std::int64_t v = 0; v < most; ++v)
    for (std::int64_t r = 0; r < c.rows; ++r) host_x(v, r) = active(v, r) ? normal(engine) : 0;
  Kokkos::deep_copy(x, host_x);
  for (const std::int64_t vectors : {1, 3, 14})
    for (const bool accumulate : {false, true}) {
      if (vectors == 1)  // a row that is read would show
        for (std::int64_t r = 0; r < c.rows; ++r)
          if (!active(0, r)) w[std::size_t(r * c.columns)] = row_of(c.type).scaled ? 1e30f : NAN;
      const PackedMatrix m = pack(c.rows, c.columns, c.format, c.type, rows_of(w, c.columns), "matrix", 1);
      Kokkos::deep_copy(out, 1.0f);
      ActiveInputs().multiply(m, x, vectors, accumulate, out);
      const auto y = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
      for (std::int64_t v = 0; v < most; ++v) {
        std::vector<double> exact(std::size_t(c.columns), accumulate || v >= vectors ? 1 : 0),
            size(exact.size(), 1);
        for (std::int64_t r = 0; v < vectors && r < c.rows; ++r) {
          if (!active(v, r)) continue;
          unpack_row(m, r, row.data());
          for (std::size_t j = 0; j < exact.size(); ++j) {
            exact[j] += double(row[j]) * host_x(v, r);
            size[j] += std::abs(double(row[j]) * host_x(v, r));
          }
        }
        for (std::size_t j = 0; j < exact.size(); ++j)
          ASSERT_NEAR(y(v, std::int64_t(j)), exact[j], size[j] * 1e-6) << j << " of " << vectors;
      }
      if (vectors == 1 && accumulate) w = random_matrix(c.rows, c.columns, c.density);
    }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& [format, name, layout, kept, of, by_inputs, on_tiles, largest, least] : format_rows)
    for (const ValueRow& value : value_rows)
      for (const auto& [rows, columns] : {std::pair{5, 64}, {9, 172}, {3, 129}, {600, 384}, {7, 5440}})
        for (const double density : {0.3, 0.0, 1.0})
          for (const std::int64_t slice : {1, slice_rows, tile_rows})
            if ((density == 0.3 || columns == 172) && holds(format, value.type) &&
                (slice == 1 || layout == Layout::masked || (layout == Layout::whole && slice == tile_rows)))
              all.push_back({format, value.type, rows, columns, density, slice});
  return all;
}
INSTANTIATE_TEST_SUITE_P(AllFormats, PackedMatrices, testing::ValuesIn(cases()), [](const auto& given) {
  const Case& c = given.param;
  return std::string(name_of(c.format)) + "_" + name_of(c.type) + "_" + std::to_string(c.rows) + "x" +
         std::to_string(c.columns) + "_" + std::to_string(int(c.density * 100)) + "_slice" +
         std::to_string(c.slice);
});

/// What the rows of storage.hpp say is so: names, bits, patterns. That each is held and multiplied is shown
/// above, which goes through all rows as well.
TEST(Storage, EveryRowIsComplete) {
  const std::int64_t rows = 64, columns = 4096;
  std::set<std::string> names;
  for (const FormatRow& format : format_rows) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_EQ(format_named(format.name, "--format"), format.format);
    EXPECT_THAT(format_names(), testing::HasSubstr(format.name));
    EXPECT_LE(format.kept, format.of) << format.name;
    const auto w = random_matrix(rows, columns, 0.3, format);
    const double density = 1 - double(std::count(w.begin(), w.end(), 0.0f)) / double(w.size());
    for (const ValueRow& value : value_rows) {
      EXPECT_EQ(value_type_named(value.name, "--value"), value.type);
      const std::int64_t slice =
          value.type == ValueType::int4 && format.layout == Layout::masked ? tile_rows : 1;
      const auto packed = [&] {
        return pack(rows, columns, format.format, value.type, rows_of(w, columns), "matrix", slice);
      };
      if (!holds(format.format, value.type)) {
        EXPECT_THAT(packed,
                    testing::ThrowsMessage<InputError>(testing::HasSubstr("expected fp32, bf16, int8")));
        continue;
      }
      const PackedMatrix m = packed();
      EXPECT_NO_THROW(expect_consistent(m, rows, columns, "matrix")) << format.name << " " << value.name;
      const double starts =
          format.layout == Layout::whole ? 0 : 64.0 / double(columns * slice);  // of each slice
      EXPECT_NEAR(m.bits_per_weight(), bits_per_weight_of(format.format, value.type, density) + starts, 0.05)
          << format.name << " " << value.name;
    }
    if (format.kept == format.of) continue;
    const std::vector<float> full(std::size_t(format.of), 1.0f);
    EXPECT_THROW(pack(1, format.of, format.format, ValueType::fp32, rows_of(full, format.of), "full", 1),
                 InputError)
        << format.name;
  }
}

TEST(PackedMatrix, TakesTheBitsItSays) {
  const std::int64_t rows = 64, columns = 4096;
  const auto w = random_matrix(rows, columns, 0.3);
  const auto half = random_matrix(rows, columns, 0.5, row_of(Format::two_four));
  const auto bits = [&](Format f, ValueType t) {
    return pack(rows, columns, f, t, rows_of(f == Format::two_four ? half : w, columns), "matrix",
                best_slice(f, t, KernelForm::host))
        .bits_per_weight();
  };
  const double row = 64.0 / columns, slice = row / slice_rows;  // where one begins
  EXPECT_NEAR(bits(Format::dense, ValueType::fp32), 32, 1e-9);
  EXPECT_NEAR(bits(Format::dense, ValueType::int8), 8 + 16.0 / 128, 1e-9);
  EXPECT_NEAR(bits(Format::bit_mask, ValueType::fp32), 1 + 0.3 * 32 + slice, 0.1);
  EXPECT_NEAR(bits(Format::bit_mask, ValueType::bf16), 1 + 0.3 * 16 + slice, 0.05);
  EXPECT_NEAR(bits(Format::bit_mask, ValueType::int8), 1 + 0.3 * 8 + 16.0 / 128 + slice, 0.03);
  EXPECT_NEAR(bits(Format::dense, ValueType::int4), 4 + 16.0 / 128, 1e-9);
  EXPECT_NEAR(bits(Format::bit_mask, ValueType::int4), 2.36, 0.01);
  EXPECT_NEAR(bits(Format::two_four, ValueType::int4), 1 + 2 + 16.0 / 128 + row / tile_rows, 0.001);
  EXPECT_NEAR(bits(Format::csr, ValueType::bf16), 0.3 * 32 + row, 0.1);
  EXPECT_NEAR(bits(Format::two_four, ValueType::bf16), 1 + 8 + slice, 0.001);
}

TEST(PackedMatrix, RefusesWhatIsNotTwoOfFour) {
  const std::vector<float> w{1, 2, 3, 0, 1, 0, 0, 0};
  EXPECT_THAT([&] { pack(2, 4, Format::two_four, ValueType::fp32, rows_of(w, 4), "layer 3, gate", 1); },
              testing::ThrowsMessage<InputError>(
                  testing::AllOf(testing::HasSubstr("layer 3, gate"), testing::HasSubstr("row 0"))));
}

TEST(PackedMatrix, NamesThatAreNotKnown) {
  EXPECT_THAT(
      [] { format_named("coo", "--format"); },
      testing::ThrowsMessage<InputError>("--format: found 'coo', expected dense, csr, bit_mask, two_four"));
  EXPECT_THAT([] { value_type_named("fp8", "--value"); },
              testing::ThrowsMessage<InputError>("--value: found 'fp8', expected fp32, bf16, int8, int4"));
}

}  // namespace
}  // namespace wafermark::llama
