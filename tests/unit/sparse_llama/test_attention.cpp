// Attention against its definition in double precision: softmax of all scores first, then the weighted sum.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "sparse_llama/kernels/attention.hpp"
#ifndef __CUDACC__
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

void expect_near(const std::vector<float>& found, const Sample& s, std::int64_t begin = 0) {
  const auto exact = s.exact(begin);
  for (std::size_t i = 0; i < exact.size(); ++i)
    EXPECT_NEAR(found[i], exact[i], 1e-5)
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
            attention(s.query.data(), keys.data(), values.data(), begin, seen, head_dim, s.scale(),
                      out.data());
            expect_near(out, s, begin);
          }
      }
}

#ifndef __CUDACC__
/// Keys and values of a sequence, and queries at its last positions, each with a beginning of its own.
struct Together {
  static constexpr std::int64_t room = 96;
  std::int64_t head_dim;
  std::vector<Sample> samples;  // one a query; keys and values are the first one's
  std::vector<float> keys, values;

  Together(std::int64_t head_dim_, int queries) : head_dim(head_dim_) {
    const Sample all(room, head_dim, 1);
    keys.assign(all.keys.size(), 0.0f);
    values = all.values;
    for (std::int64_t p = 0; p < room; ++p)
      for (std::int64_t i = 0; i < head_dim; ++i)
        keys[std::size_t(key_place(p, i, head_dim))] = all.keys[std::size_t(p * head_dim + i)];
    for (int q = 0; q < queries; ++q) {
      samples.emplace_back(room - 1 - 7 * q % 90, head_dim, q % 3 == 0 ? 30.0f : 1.0f);
      samples.back().keys = all.keys;
      samples.back().values = all.values;
    }
  }
  std::int64_t begin(std::size_t q) const { return std::int64_t(q) * 31 % samples[q].seen; }
  /// Of queries [first, last).
  std::vector<std::vector<float>> attention(std::size_t first, std::size_t last) const {
    std::vector<std::vector<float>> out(last - first, std::vector<float>(std::size_t(head_dim), NAN));
    std::vector<AttentionQuery> queries;
    for (std::size_t q = first; q < last; ++q)
      queries.push_back({samples[q].query.data(), out[q - first].data(), begin(q), samples[q].seen});
    attention_of_queries(queries.data(), int(queries.size()), keys.data(), values.data(), head_dim,
                         samples[0].scale());
    return out;
  }
};

/// Whoever is with it, a query's attention is the same, bit by bit.
TEST(Attention, OfSeveralQueriesIsThatOfEach) {
  for (const std::int64_t head_dim : {16, 48, 64, 80, 128})
    for (const int n : {1, 2, 4, 5, 32}) {
      const Together t(head_dim, n);
      const auto all = t.attention(0, std::size_t(n));
      for (std::size_t q = 0; q < all.size(); ++q) {
        expect_near(all[q], t.samples[q], t.begin(q));
        EXPECT_EQ(t.attention(q, q + 1)[0], all[q]) << "query " << q << " of " << n;
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
