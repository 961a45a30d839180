// Choosing exactly so many elements with the smallest scores.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace wafermark::llama {

inline std::int64_t share_of(double share, std::int64_t n) { return std::llround(share * double(n)); }

/// The `count` indices of [first, last) whose score is smallest; of equal scores the lowest index.
template <class Score>
std::vector<std::int64_t> smallest(std::int64_t count, std::int64_t first, std::int64_t last,
                                   const Score& score) {
  using Value = decltype(score(first));
  std::vector<std::pair<Value, std::int64_t>> ranked;
  ranked.reserve(std::size_t(last - first));
  for (std::int64_t i = first; i < last; ++i) ranked.emplace_back(score(i), i);
  std::nth_element(ranked.begin(), ranked.begin() + count, ranked.end());
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < count; ++i) chosen.push_back(ranked[std::size_t(i)].second);
  return chosen;
}

}  // namespace wafermark::llama
