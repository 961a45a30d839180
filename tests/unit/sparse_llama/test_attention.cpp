// Attention against its definition in double precision: softmax of all scores first, then the weighted sum.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/gpu_compiler.hpp"
#ifndef WAFERMARK_GPU_COMPILER
#include "sparse_llama/kernels/attention_block.hpp"
#endif

namespace wafermark::llama {
namespace {

struct Sample {
  std::int64_t seen, head_dim;
  std::vector<float> query, keys, values;  // keys [position][head_dim]

  Sample(std::int64_t seen_, std::int64_t head_dim_, float spread) : seen(seen_), head_dim(head_dim_) {
    std::mt19937 engine(unsigned(seen * head_dim));
    std::normal_distribution<float> normal;
    const auto draw = [&](std::int64_t n, float times) {
      std::vector<float> x;
      for (std::int64_t i = 0; i < n; ++i) x.push_back(times * normal(engine));
      return x;
    };
    query = draw(head_dim, spread);
    keys = draw(seen * head_dim, 1);
    values = draw(seen * head_dim, 1);
  }
  float scale() const { return 1.0f / std::sqrt(float(head_dim)); }
  /// Of positions from `begin` on.
  std::vector<double> exact(std::int64_t begin = 0) const {
    std::vector<double> weights(std::size_t(begin), -INFINITY), out(std::size_t(head_dim), 0.0);
    double top = -INFINITY, sum = 0;
    for (std::int64_t p = begin; p < seen; ++p) {
      double score = 0;
      for (std::int64_t i = 0; i < head_dim; ++i)
        score += double(query[std::size_t(i)]) * double(keys[std::size_t(p * head_dim + i)]);
      weights.push_back(score * double(scale()));
      top = std::max(top, weights.back());
    }
    for (double& weight : weights) sum += weight = std::exp(weight - top);
    for (std::int64_t p = 0; p < seen; ++p)
      for (std::int64_t i = 0; i < head_dim; ++i)
        out[std::size_t(i)] += weights[std::size_t(p)] / sum * double(values[std::size_t(p * head_dim + i)]);
    return out;
  }
};

void expect_near(const std::vector<float>& found, const Sample& s, std::int64_t begin = 0,
                 double tolerance = 1e-5) {
  const auto exact = s.exact(begin);
  for (std::size_t i = 0; i < exact.size(); ++i)
    EXPECT_NEAR(found[i], exact[i], tolerance)
        << "dimension " << i << " of " << s.head_dim << ", positions " << begin << " to " << s.seen;
}

/// Whole blocks of a cache; what lies behind the last position is finite and must not count.
TEST(Attention, IsTheSoftmaxOfTheScoresTimesTheValues) {
  for (const std::int64_t head_dim : {2, 12, 16, 50, 64})
    for (const std::int64_t seen : {1, 2, 15, 16, 17, 70})
      for (const float spread : {1.0f, 30.0f}) {
        const Sample s(seen, head_dim, spread);
        const std::int64_t room = (seen + key_block - 1) / key_block * key_block;
        std::vector<float> keys(std::size_t(room * head_dim), 9.0f), values(keys.size(), 1e4f),
            out(std::size_t(head_dim), NAN);
        for (std::int64_t p = 0; p < seen; ++p)
          for (std::int64_t i = 0; i < head_dim; ++i)
            keys[std::size_t(key_place(p, i, head_dim))] = s.keys[std::size_t(p * head_dim + i)];
        std::copy(s.values.begin(), s.values.end(), values.begin());
        for (const std::int64_t begin : {0, 1, 14, 15, 16, 69})
          if (begin < seen) {
            attention(s.query.data(), CachedHead<float>{keys.data(), values.data(), room}, begin, seen,
                      head_dim, s.scale(), out.data());
            expect_near(out, s, begin);
          }
      }
}

/// A head of a cache with so many places.
template <class Cached>
struct HeadRoom {
  std::int64_t head_dim;
  std::vector<Cached> keys, values;
  std::vector<float> key_scales, value_scales;

  HeadRoom(std::int64_t places, std::int64_t head_dim_)
      : head_dim(head_dim_),
        keys(std::size_t(places * head_dim)),
        values(keys.size()),
        key_scales(std::size_t(places)),
        value_scales(key_scales.size()) {}
  CachedHead<Cached> head() {
    return {keys.data(), values.data(), std::int64_t(key_scales.size()), key_scales.data(),
            value_scales.data()};
  }
  /// Keeps positions [0, count) of a sample.
  void keep(const Sample& s, std::int64_t count) {
    for (std::int64_t p = 0; p < count; ++p) {
      store_key(s.keys.data() + p * head_dim, p, head_dim, head());
      store_value(s.values.data() + p * head_dim, p, head_dim, head());
    }
  }
  float key(std::int64_t place, std::int64_t i) const {
    const auto number = float(keys[std::size_t(key_place(place, i, head_dim))]);
    return is_scaled<Cached> ? number * key_scales[std::size_t(place)] : number;
  }
  float value(std::int64_t place, std::int64_t i) const {
    const auto number = float(values[std::size_t(place * head_dim + i)]);
    return is_scaled<Cached> ? number * value_scales[std::size_t(place)] : number;
  }
};

template <class Cached>
class CachedAttention : public testing::Test {};
using CachedTypes = testing::Types<float, BFloat16, std::int8_t>;
TYPED_TEST_SUITE(CachedAttention, CachedTypes);

/// A number is off by half of the last bit of bf16 or half of a step of its int8 scale.
TYPED_TEST(CachedAttention, KeepsNumbersAsExactlyAsTheTypeAllows) {
  for (const std::int64_t head_dim : {2, 13, 64}) {
    Sample s(40, head_dim, 1);
    std::fill_n(s.keys.begin() + 3 * head_dim, head_dim, 0.0f);      // a key of zeros
    std::fill_n(s.values.begin() + 5 * head_dim, head_dim, 1e-42f);  // values that have no normal scale
    s.keys[std::size_t(7 * head_dim)] = -1e30f;
    HeadRoom<TypeParam> room(48, head_dim);
    room.keep(s, 40);
    const auto expect_kept = [&](const float* x, std::int64_t i, float kept) {
      const float largest = std::abs(
          *std::max_element(x, x + head_dim, [](float a, float b) { return std::abs(a) < std::abs(b); }));
      const double off = is_scaled<TypeParam>                  ? double(largest) / 127 / 2
                         : std::is_same_v<TypeParam, BFloat16> ? double(std::abs(x[i])) / 256
                                                               : 0.0;
      EXPECT_NEAR(kept, x[i], off * (1 + 1e-5) + 1e-40);
    };
    for (std::int64_t p = 0; p < 40; ++p)
      for (std::int64_t i = 0; i < head_dim; ++i) {
        expect_kept(s.keys.data() + p * head_dim, i, room.key(p, i));
        expect_kept(s.values.data() + p * head_dim, i, room.value(p, i));
      }
  }
}

#ifndef WAFERMARK_GPU_COMPILER
/// Queries at the last positions of a sequence, each with a beginning of its own.
template <class Cached>
struct Together {
  static constexpr std::int64_t positions = 96;
  HeadRoom<Cached> room;
  std::vector<Sample> samples;  // one a query; keys and values are the first one's, as the cache has them

  Together(std::int64_t head_dim, int queries) : room(positions, head_dim) {
    Sample all(positions, head_dim, 1);
    room.keep(all, positions);
    for (std::int64_t p = 0; p < positions; ++p)
      for (std::int64_t i = 0; i < head_dim; ++i) {
        all.keys[std::size_t(p * head_dim + i)] = room.key(p, i);
        all.values[std::size_t(p * head_dim + i)] = room.value(p, i);
      }
    for (int q = 0; q < queries; ++q) {
      samples.emplace_back(positions - 1 - 7 * q % 90, head_dim, q % 3 == 0 ? 30.0f : 1.0f);
      samples.back().keys = all.keys;
      samples.back().values = all.values;
    }
  }
  std::int64_t begin(std::size_t q) const { return std::int64_t(q) * 31 % samples[q].seen; }
  /// Of queries [first, last).
  std::vector<std::vector<float>> of_queries(std::size_t first, std::size_t last) {
    std::vector<std::vector<float>> out(last - first, std::vector<float>(std::size_t(room.head_dim), NAN));
    std::vector<AttentionQuery> queries;
    for (std::size_t q = first; q < last; ++q)
      queries.push_back({samples[q].query.data(), out[q - first].data(), begin(q), samples[q].seen});
    attention_of_queries(queries.data(), int(queries.size()), room.head(), room.head_dim, samples[0].scale());
    return out;
  }
  /// By attention() of one query.
  std::vector<float> alone(std::size_t q) {
    std::vector<float> out(std::size_t(room.head_dim), NAN);
    attention(samples[q].query.data(), room.head(), begin(q), samples[q].seen, room.head_dim,
              samples[q].scale(), out.data());
    return out;
  }
};

/// Whoever is with it, a query's attention is the same, bit by bit.
TYPED_TEST(CachedAttention, OfSeveralQueriesIsThatOfEach) {
  for (const std::int64_t head_dim : {16, 48, 64, 80, 128})
    for (const int n : {1, 2, 4, 5, 32}) {
      Together<TypeParam> t(head_dim, n);
      const auto all = t.of_queries(0, std::size_t(n));
      constexpr double tolerance = 3e-5;  // scores are up to 200, and the weights of near ties follow them
      for (std::size_t q = 0; q < all.size(); ++q) {
        expect_near(all[q], t.samples[q], t.begin(q), tolerance);
        expect_near(t.alone(q), t.samples[q], t.begin(q), tolerance);
        EXPECT_EQ(t.of_queries(q, q + 1)[0], all[q]) << "query " << q << " of " << n;
      }
    }
}

/// Positions behind the last place go over the first ones: the same bits for windows that are still there.
TYPED_TEST(CachedAttention, GoesRoundWhereWindowsEnd) {
  constexpr std::int64_t positions = 93, window = 48;
  for (const std::int64_t head_dim : {16, 32, 80}) {
    Sample s(positions, head_dim, 1);
    HeadRoom<TypeParam> all(96, head_dim), round(window, head_dim);
    all.keep(s, positions);
    round.keep(s, positions);
    for (const std::int64_t seen : {positions, positions - 1, positions - 13})
      for (const std::int64_t begin : {positions - window, positions - window + 2, positions - 20}) {
        std::vector<std::vector<float>> out(4, std::vector<float>(std::size_t(head_dim), NAN));
        const AttentionQuery of_all{s.query.data(), out[0].data(), begin, seen},
            of_round{s.query.data(), out[1].data(), begin, seen};
        attention_of_queries(&of_all, 1, all.head(), head_dim, s.scale());
        attention_of_queries(&of_round, 1, round.head(), head_dim, s.scale());
        attention(s.query.data(), all.head(), begin, seen, head_dim, s.scale(), out[2].data());
        attention(s.query.data(), round.head(), begin, seen, head_dim, s.scale(), out[3].data());
        EXPECT_EQ(out[0], out[1]) << begin << " to " << seen;
        EXPECT_EQ(out[2], out[3]) << begin << " to " << seen;
      }
  }
}
#endif

/// As tiles do it: position by position, in two parts, when the largest score of all is known.
TEST(Attention, OfTwoPartsIsTheirSum) {
  const Sample s(9, 12, 5.0f);
  std::vector<float> scores;
  for (std::int64_t p = 0; p < s.seen; ++p) {
    float score[1];
    attention_scores(s.query.data(), s.keys.data() + p * 12, 12, s.scale(), score);
    scores.push_back(score[0]);
  }
  const float top = *std::max_element(scores.begin(), scores.end());
  float sums[2] = {0, 0};
  std::vector<float> weighted[2] = {std::vector<float>(12, 0.0f), std::vector<float>(12, 0.0f)};
  for (std::int64_t p = 0; p < s.seen; ++p)
    add_weighted(weight_of_score(scores[std::size_t(p)], top), s.values.data() + p * 12, 12,
                 weighted[p % 2].data(), sums[p % 2]);
  for (std::size_t i = 0; i < 12; ++i) weighted[0][i] += weighted[1][i];
  divide_by_sum(sums[0] + sums[1], 12, weighted[0].data());
  expect_near(weighted[0], s);
}

}  // namespace
}  // namespace wafermark::llama
