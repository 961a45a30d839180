// The kernels that a device runs, against their definitions in double precision: products of pairs of rows
// with the norm before them and SwiGLU or the residual behind, attention in parts that are merged.
#include <gtest/gtest.h>

#include "product_sample.hpp"
#include "sparse_llama/cluster/split_attention.hpp"
#include "sparse_llama/kernels/attention.hpp"

namespace wafermark::llama {
namespace {

/// int8 rounds vectors to 1 / 8191 of the largest element of a group, which is up to nine times the mean.
double own_rounding(ValueType type) { return type == ValueType::int8 ? 6e-4 : 2e-6; }

TEST(PairProducts, MultiplyAsTheMatrixDoes) {
  int k = 0;
  for (const FormatRow& format : format_rows)
    for (const ValueRow& type : value_rows) {
      if (type.type == ValueType::int4) continue;  // lanes_multiply: devices take another way
      for (const auto& [rows, columns] :
           {std::pair{1, 1}, {5, 64}, {9, 172}, {34, 129}, {18, 2048}, {3, 5440}})
        for (const double density : {0.3, 0.0, 1.0})
          for (const std::int64_t vectors : {1, 2, 6}) {
            const Sample s(format.format, type.type, rows, columns, vectors, density, ++k % 2 == 0);
            const PairEnd end = k % 3 == 0 ? PairEnd::add : PairEnd::store;
            SquareSums squares;
            const auto y = on_host_of(s.multiplied(multiply_pairs, end, k % 5 == 0 ? nullptr : &squares));
            const std::string what = std::string(format.name) + " " + type.name + ", " +
                                     std::to_string(rows) + " x " + std::to_string(columns);
            for (std::int64_t v = 0; v < vectors; ++v) {
              double sum = 0, found = 0;
              for (std::int64_t r = 0; r < rows; ++r) {
                const auto at = std::size_t(v * rows + r);
                ASSERT_NEAR(y(v, r), s.exact[at] + (end == PairEnd::add ? 1 : 0),
                            s.size[at] * own_rounding(type.type))
                    << what << ", row " << r << ", vector " << v;
                sum += double(y(v, r)) * double(y(v, r));
              }
              if (k % 5 == 0) continue;
              const auto parts = on_host_of(squares.sums);
              for (std::int64_t p = 0; p < squares.parts; ++p) found += parts(v * squares.parts + p);
              ASSERT_NEAR(found, sum, 1e-5 * sum + 1e-12) << what;
            }
          }
    }
}

TEST(PairProducts, GateAndUpMeetInSwiglu) {
  for (const Format format : {Format::dense, Format::csr, Format::bit_mask})
    for (const std::int64_t hidden : {1, 7, 40})
      for (const float threshold : {-1.0f, 0.0f, 0.5f}) {
        const Sample s(format, ValueType::bf16, 2 * hidden, 100, 5, 0.5, true);
        const Kokkos::View<std::int64_t, MemSpace> zeros("zeros");
        const auto y = on_host_of(s.multiplied(multiply_pairs, PairEnd::swiglu, nullptr, threshold, zeros));
        std::int64_t dropped = 0;
        for (std::int64_t v = 0; v < s.vectors; ++v)
          for (std::int64_t u = 0; u < hidden; ++u) {
            const double gate = s.exact[std::size_t(v * 2 * hidden + u)],
                         up = s.exact[std::size_t(v * 2 * hidden + hidden + u)],
                         unit = gate / (1 + std::exp(-gate)) * up;
            const bool drops = threshold >= 0 && std::abs(unit) <= double(threshold);
            dropped += drops;
            ASSERT_NEAR(y(v, u), drops ? 0 : unit, 1e-4 * (1 + std::abs(unit)));
          }
        EXPECT_EQ(on_host_of(zeros)(), dropped);
      }
}

TEST(PairProducts, AreTheSameBitsAgain) {
  const Sample s(Format::bit_mask, ValueType::bf16, 50, 4200, 6, 0.3, true);
  SquareSums squares, again;
  const auto a = on_host_of(s.multiplied(multiply_pairs, PairEnd::add, &squares)),
             b = on_host_of(s.multiplied(multiply_pairs, PairEnd::add, &again));
  for (std::int64_t v = 0; v < s.vectors; ++v)
    for (std::int64_t r = 0; r < s.rows; ++r) EXPECT_EQ(a(v, r), b(v, r));
}

constexpr std::int64_t sequences = 3, layer = 1;

/// Rows of these tokens on the device.
Kokkos::View<TokenRow*, MemSpace> on_device(const std::vector<TokenRow>& rows) {
  const Kokkos::View<TokenRow*, MemSpace> device("rows", rows.size());
  const auto host = Kokkos::create_mirror_view(device);
  std::copy(rows.begin(), rows.end(), host.data());
  Kokkos::deep_copy(device, host);
  return device;
}

/// What a cache holds, as numbers.
template <class Cached>
struct HostCache {
  using Arrays = CacheArrays<Cached>;
  decltype(on_host_of(typename Arrays::Numbers())) keys, values;
  decltype(on_host_of(typename Arrays::Scales())) key_scales, value_scales;

  explicit HostCache(const Arrays& arrays)
      : keys(on_host_of(arrays.keys)),
        values(on_host_of(arrays.values)),
        key_scales(on_host_of(arrays.key_scales)),
        value_scales(on_host_of(arrays.value_scales)) {}
  double key(std::int64_t slot, std::int64_t kv, std::int64_t position, std::int64_t i) const {
    const auto place = position % std::int64_t(keys.extent(2));
    const auto number =
        double(float((&keys(slot, kv, 0, 0))[key_place(place, i, std::int64_t(keys.extent(3)))]));
    if constexpr (is_scaled<Cached>) return number * double(key_scales(slot, kv, place));
    return number;
  }
  double value(std::int64_t slot, std::int64_t kv, std::int64_t position, std::int64_t i) const {
    const auto place = position % std::int64_t(keys.extent(2));
    const auto number = double(float(values(slot, kv, place, i)));
    if constexpr (is_scaled<Cached>) return number * double(value_scales(slot, kv, place));
    return number;
  }
};

/// Angles of zero: nothing is turned.
Turns no_turns(std::int64_t positions, std::int64_t head_dim) {
  const auto zeros = [&](const char* name) {
    return Kokkos::View<float**, Kokkos::LayoutRight, MemSpace>(std::string(name), std::size_t(positions),
                                                                std::size_t(head_dim / 2));
  };
  const Turns turns{zeros("cosines"), zeros("sines")};
  Kokkos::deep_copy(turns.cosine, 1.0f);
  return turns;
}

/// A cache of random keys and values of all sequences up to `positions`, put there by place_heads().
template <class Cached>
CacheArrays<Cached> filled(std::int64_t kv_heads, std::int64_t head_dim, std::int64_t places,
                           std::int64_t positions) {
  const CacheArrays<Cached> cache(2 * sequences, kv_heads, places, head_dim);
  const Turns turns = no_turns(positions, head_dim);
  constexpr std::int64_t heads = 1;  // of queries: not kept
  KernelChain kernels;
  std::vector<TokenRow> rows;
  for (std::int32_t s = 0; s < sequences; ++s) rows.push_back({0, s, 0});
  for (std::int64_t p = 0; p < positions; ++p) {
    for (TokenRow& row : rows) row.position = p;
    const Rows qkv("qkv", rows.size(), std::size_t((heads + 2 * kv_heads) * head_dim));
    fill(qkv, numbers(std::int64_t(qkv.size()), 1, unsigned(p)));
    place_heads(kernels, {on_device(rows), {}, sequences, 1, layer * sequences, 0}, {}, turns, heads, qkv,
                cache);
  }
  return cache;
}

/// Attention of some rows to one sequence each, by definition and in parts.
template <class Cached>
void expect_attention(std::int64_t heads, const CacheArrays<Cached>& cache, const std::vector<TokenRow>& rows,
                      std::int64_t window, std::int64_t part) {
  const std::int64_t n = std::int64_t(rows.size()), kv_heads = cache.kv_heads(), head_dim = cache.head_dim();
  const Rows qkv("qkv", std::size_t(n), std::size_t((heads + 2 * kv_heads) * head_dim)),
      out("out", std::size_t(n), std::size_t(heads * head_dim));
  fill(qkv, numbers(std::int64_t(qkv.size()), 1, 7));
  KernelChain kernels;
  SplitAttention attention(part);
  std::int64_t positions = 0;
  for (const TokenRow& row : rows) positions = std::max(positions, row.position + 1);
  attention.attend(kernels, {on_device(rows), {}, n, 1, layer * sequences, window},
                   attention.most_parts(positions, window), heads, qkv, cache, out);
  const auto y = on_host_of(out), q = on_host_of(qkv);
  const HostCache<Cached> host(cache);
  for (std::int64_t r = 0; r < n; ++r)
    for (std::int64_t h = 0; h < heads; ++h) {
      const TokenRow& row = rows[std::size_t(r)];
      const std::int64_t slot = layer * sequences + row.sequence, kv = h / (heads / kv_heads),
                         begin = window > 0 ? std::max<std::int64_t>(0, row.position + 1 - window) : 0;
      std::vector<double> exact(static_cast<std::size_t>(head_dim), 0.0);
      double sum = 0;
      for (std::int64_t p = begin; p <= row.position; ++p) {
        double score = 0;
        for (std::int64_t i = 0; i < head_dim; ++i)
          score += double(q(r, h * head_dim + i)) * host.key(slot, kv, p, i);
        const double weight = std::exp(score / std::sqrt(double(head_dim)));
        sum += weight;
        for (std::int64_t i = 0; i < head_dim; ++i)
          exact[std::size_t(i)] += weight * host.value(slot, kv, p, i);
      }
      for (std::int64_t i = 0; i < head_dim; ++i)
        ASSERT_NEAR(y(r, h * head_dim + i), exact[std::size_t(i)] / sum, 1e-5)
            << "row " << r << " at " << row.position << ", head " << h << ", parts of " << part;
    }
}

template <class Cached>
class SplitAttentionOf : public testing::Test {};
using CachedTypes = testing::Types<float, BFloat16, std::int8_t>;
TYPED_TEST_SUITE(SplitAttentionOf, CachedTypes);

TYPED_TEST(SplitAttentionOf, IsAttentionHoweverItIsSplit) {
  constexpr std::int64_t places = 592;
  const std::vector<TokenRow> some{{0, 2, 590}, {0, 0, 0}, {0, 1, 127}, {0, 0, 128}, {0, 2, 300}};
  const auto two = filled<TypeParam>(2, 16, places, places), one = filled<TypeParam>(1, 18, places, places),
             three = filled<TypeParam>(3, 64, places, places);
  for (const std::int64_t window : {0, 1, 100, 129, 1000})
    for (const std::int64_t part : {32, 128}) {
      expect_attention(8, two, some, window, part);
      expect_attention(7, one, {some.front()}, window, part);
      expect_attention(3, three, {some[2]}, window, part);
    }
}

TYPED_TEST(SplitAttentionOf, TeamsTakeSeveralPartsWhereThereAreManyRows) {
  const auto cache = filled<TypeParam>(4, 16, 592, 592);
  std::vector<TokenRow> rows;
  for (std::int64_t p = 0; p < 200; ++p) rows.push_back({0, std::int32_t(p % 3), 2 * p + 100});
  expect_attention(8, cache, rows, 0, 32);
  expect_attention(8, cache, rows, 77, 32);
}

/// The team that ends last merges, in the order of the splits; the next pass finds the counters at zero.
TYPED_TEST(SplitAttentionOf, AreTheSameBitsWhoeverMerges) {
  constexpr std::int64_t heads = 8, head_dim = 16, positions = 592, part = 32;
  const auto cache = filled<TypeParam>(2, head_dim, positions, positions);
  const std::vector<TokenRow> rows{{0, 2, 590}, {0, 0, 17}, {0, 1, 300}};
  const Rows qkv("qkv", rows.size(), std::size_t((heads + 4) * head_dim));
  fill(qkv, numbers(std::int64_t(qkv.size()), 1, 7));
  KernelChain kernels;
  SplitAttention attention(part);
  const auto attended = [&](std::int64_t most_parts) {
    const Rows out("out", rows.size(), std::size_t(heads * head_dim));
    attention.attend(kernels, {on_device(rows), {}, 3, 1, layer * sequences, 0}, most_parts, heads, qkv,
                     cache, out);
    return on_host_of(out);
  };
  const std::int64_t parts = attention.most_parts(positions, 0);
  EXPECT_EQ(parts, 19);
  const auto first = attended(parts);
  for (int k = 0; k < 50; ++k) {
    const auto again = attended(k % 2 == 0 ? parts : 2 * parts);  // room for longer sequences
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t i = 0; i < std::size_t(heads * head_dim); ++i)
        ASSERT_EQ(again(r, i), first(r, i)) << "pass " << k << ", row " << r;
  }
}

TEST(SplitAttention, KnowsTheMostPartsOfARow) {
  const SplitAttention attention(32);
  for (const std::int64_t positions : {1, 32, 33, 400})
    for (const std::int64_t window : {0, 1, 2, 32, 33, 34, 65, 500}) {
      std::int64_t most = 0;
      for (std::int64_t p = 0; p < positions; ++p) {
        const std::int64_t begin = window > 0 ? std::max<std::int64_t>(0, p + 1 - window) : 0;
        most = std::max(most, p / 32 - begin / 32 + 1);
      }
      EXPECT_EQ(attention.most_parts(positions, window), most) << positions << ", window " << window;
    }
}

/// Positions behind the last place go over the first ones, out of the window of everyone who is left.
TYPED_TEST(SplitAttentionOf, GoesRoundWhereWindowsEnd) {
  const auto cache = filled<TypeParam>(2, 16, 144, 391);
  for (const std::int64_t window : {1, 100, 144})
    for (const std::int64_t part : {32, 128})
      expect_attention(4, cache, {{0, 0, 390}, {0, 2, 390}}, window, part);
  expect_attention(4, cache, {{0, 1, 389}, {0, 1, 350}}, 100, 128);
}

/// Queries stay, keys and values go into the cache; both forms of the kernels round alike.
TYPED_TEST(SplitAttentionOf, KeepsWhatCpusKeep) {
  constexpr std::int64_t kv_heads = 2, head_dim = 18, places = 48, position = 21;
  const CacheArrays<TypeParam> cache(2 * sequences, kv_heads, places, head_dim);
  const Rows qkv("qkv", 1, std::size_t((1 + 2 * kv_heads) * head_dim));
  const auto given = numbers(std::int64_t(qkv.size()), 1, 11);
  fill(qkv, given);
  KernelChain kernels;
  place_heads(kernels, {on_device({{0, 1, position}}), {}, 1, 1, layer * sequences, 0}, {},
              no_turns(position + 1, head_dim), 1, qkv, cache);
  const std::int64_t slot = layer * sequences + 1;
  const HostCache<TypeParam> host(cache);
  const float* x = given.data() + head_dim;
  for (std::int64_t h = 0; h < 2 * kv_heads; ++h, x += head_dim) {
    const float scale = cached_scale<TypeParam>(x, head_dim), inverse = inverse_or_zero(scale);
    for (std::int64_t i = 0; i < head_dim; ++i) {
      const double kept =
          h < kv_heads ? host.key(slot, h, position, i) : host.value(slot, h - kv_heads, position, i);
      EXPECT_EQ(kept, double(float(cached_number<TypeParam>(x[i], inverse))) * double(scale));
    }
  }
}

}  // namespace
}  // namespace wafermark::llama
