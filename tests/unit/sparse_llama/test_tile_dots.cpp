// Tiles times vectors give the sum from its definition, in the portable form and in the host's, for any
// number of vectors, whole or shared by lanes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "sparse_llama/kernels/tile_dots.hpp"

namespace wafermark::llama {
namespace {

template <class Value>
constexpr bool is_int8 = std::is_same_v<Value, std::int8_t>;

/// A tile of `words` words a row with this density, and vectors as they are before they are arranged.
template <class Value>
struct Tile {
  std::int64_t words;
  int vectors;
  std::vector<MaskWord> mask;
  std::vector<Value> packed;
  std::vector<float> dense, x;  // [row][column], [vector][column]
  std::vector<BFloat16> scales;
  std::vector<float> x_scales;

  Tile(std::int64_t words_, int vectors_, double density, float least = -127)
      : words(words_), vectors(vectors_), dense(std::size_t(tile_rows * words * 64), 0.0f) {
    std::mt19937 engine(unsigned(words * 100 + vectors));
    std::normal_distribution<float> normal;
    std::bernoulli_distribution kept(density);
    for (std::int64_t k = 0; k < words * tile_rows; ++k) {
      mask.push_back(0);
      for (int bit = 0; bit < 64; ++bit) {
        if (!kept(engine)) continue;
        mask.back() |= MaskWord(1) << bit;
        const float drawn = normal(engine);
        packed.push_back(Value(is_int8<Value> ? std::clamp(40 * drawn, least, 127.0f) : drawn));
        at(tile_row(bit, sizeof(Value)), k * tile_columns + tile_column(bit, sizeof(Value))) =
            float(packed.back());
      }
    }
    packed.resize(packed.size() + 64, Value(7.0f));
    for (std::int64_t g = 0; g < tile_rows * groups(); ++g) scales.emplace_back(normal(engine));
    for (std::int64_t g = 0; g < vectors * groups(); ++g) x_scales.push_back(normal(engine));
    for (std::int64_t j = 0; j < vectors * words * 64; ++j)
      x.push_back(is_int8<Value>
                      ? std::round(std::clamp(3000 * normal(engine), -activation_range, activation_range))
                      : normal(engine));
  }
  float& at(std::int64_t row, std::int64_t column) { return dense[std::size_t(row * words * 64 + column)]; }
  std::int64_t groups() const { return (words + 1) / 2; }
  bool stores_all() const {
    return std::all_of(mask.begin(), mask.end(), [](MaskWord bits) { return bits == ~MaskWord(0); });
  }
  StoredRows<Value> stored() const { return {mask.data(), packed.data(), scales.data(), words}; }

  double exact(std::int64_t row, std::int64_t v, double& size) const {
    double sum = 0;
    size = 0;
    for (std::int64_t j = 0; j < words * 64; ++j) {
      double term =
          double(dense[std::size_t(row * words * 64 + j)]) * double(x[std::size_t(v * words * 64 + j)]);
      if (is_int8<Value>)
        term *= double(float(scales[std::size_t(j / 128 * tile_rows + row)])) *
                double(x_scales[std::size_t(v * groups() + j / 128)]);
      sum += term;
      size += std::abs(term);
    }
    return sum;
  }

  /// out[v][row] by `dots`, of vectors that `arrange` has put side by side.
  template <class Arrange, class Dots>
  std::vector<float> product(const Arrange& arrange, const Dots& dots) const {
    using In = TileVectors<Value>;
    std::vector<typename In::X> arranged(x.size() / tile_columns * In::elements);
    std::vector<std::int32_t> sums(std::size_t(vectors * groups()), 0);
    for (std::int64_t v = 0; v < vectors; ++v)
      for (std::int64_t w = 0; w < words; ++w)
        sums[std::size_t(v * groups() + w / 2)] +=
            arrange(x.data() + (v * words + w) * 64, 1.0f, vectors,
                    arranged.data() + w * tile_rows * vectors * In::elements + v * In::elements);
    std::vector<float> out(std::size_t(vectors * tile_rows), NAN);
    dots(stored(), In{arranged.data(), x_scales.data(), sums.data()}, out.data());
    return out;
  }
  void expect(const char* form, const std::vector<float>& out) const {
    for (std::int64_t v = 0; v < vectors; ++v)
      for (std::int64_t row = 0; row < tile_rows; ++row) {
        double size = 0;
        const double sum = exact(row, v, size);
        EXPECT_NEAR(out[std::size_t(v * tile_rows + row)], sum, 1e-6 * size)
            << form << ", row " << row << ", vector " << v << " of " << vectors << ", " << words << " words";
      }
  }
};

template <bool masked, class Value, int N>
void expect_all_forms_of(const Tile<Value>& tile) {
  const auto arrange = [](const float* from, float inverse, int n, auto* to) {
    return portable::arrange_for_tiles<Value>(from, inverse, n, to);
  };
  tile.expect("portable", tile.product(arrange, [](const auto& rows, const auto& in, float* out) {
    portable::tile_dots<masked, N>(rows, in, out);
  }));
  for (const int lanes : {4, 32})
    tile.expect("lanes", tile.product(arrange, [&](const auto& rows, const auto& in, float* out) {
      for (int lane = 0; lane < lanes; ++lane) portable::tile_dots<masked, N>(rows, in, out, lane, lanes);
    }));
  tile.expect("host",
              tile.product([](const float* from, float inverse, int n,
                              auto* to) { return host::arrange_for_tiles<Value>(from, inverse, n, to); },
                           [](const auto& rows, const auto& in, float* out) {
                             host::tile_dots<masked, N>(rows, in, out);
                           }));
}

/// A tile that stores all its numbers also as a dense one.
template <class Value, int N>
void expect_all_forms(const Tile<Value>& tile) {
  expect_all_forms_of<true, Value, N>(tile);
  if (tile.stores_all()) expect_all_forms_of<false, Value, N>(tile);
}

template <class Value>
class TileDots : public testing::Test {};
using TileValues = testing::Types<float, BFloat16, std::int8_t>;
TYPED_TEST_SUITE(TileDots, TileValues);

TYPED_TEST(TileDots, AllFormsGiveTheSum) {
  for (const std::int64_t words : {1, 2, 3, 8})
    for (const double density : {0.0, 0.3, 1.0}) {
      expect_all_forms<TypeParam, 1>({words, 1, density});
      expect_all_forms<TypeParam, 2>({words, 2, density});
      expect_all_forms<TypeParam, 5>({words, 5, density});
      expect_all_forms<TypeParam, 12>({words, 12, density});
    }
}

/// The largest numbers there can be.
TEST(TileDotsOfInt8, DoNotOverflow) {
  for (const float sign : {1.0f, -1.0f}) {
    Tile<std::int8_t> tile(4, 2, 1.0, -128);
    std::fill_n(tile.packed.begin(), 4 * 16 * 64, std::int8_t(-128));
    std::fill(tile.dense.begin(), tile.dense.end(), -128.0f);
    std::fill(tile.x.begin(), tile.x.end(), sign * activation_range);
    expect_all_forms<std::int8_t, 2>(tile);
  }
}

TEST(Tile, EachBitHasItsPlace) {
  for (const int bytes : {1, 2, 4})
    for (int bit = 0; bit < 64; ++bit)
      EXPECT_EQ(tile_bit(tile_row(bit, bytes), tile_column(bit, bytes), bytes), bit) << bytes;
}

}  // namespace
}  // namespace wafermark::llama
