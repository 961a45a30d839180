// Byte-pair encoding (Sennrich et al. 2016): of all neighbouring pairs the one that is learnt earliest
// becomes one token, the leftmost first where there are several, until no pair is left that has a token.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace wafermark::llama {

struct Merge {
  double order = 0;  ///< smaller comes first
  std::int32_t token = 0;
};

/// Merges `tokens` in place, in O(n log n). `find(left, right)` is the pair's std::optional<Merge>.
template <class Find>
void merge_pairs(std::vector<std::int32_t>& tokens, const Find& find) {
  struct Candidate {
    Merge merge;
    std::size_t left, right;
    std::int32_t left_token, right_token;
    bool operator<(const Candidate& other) const {  // the top of the queue is the largest
      return merge.order != other.merge.order ? merge.order > other.merge.order : left > other.left;
    }
  };
  constexpr std::int32_t gone = -1;
  const std::size_t n = tokens.size();
  std::vector<std::size_t> previous(n), next(n);  // neighbours that are still there; n: none
  for (std::size_t i = 0; i < n; ++i) previous[i] = i == 0 ? n : i - 1, next[i] = i + 1;
  std::priority_queue<Candidate> queue;
  const auto consider = [&](std::size_t left, std::size_t right) {
    if (left == n || right == n) return;
    if (const std::optional<Merge> merge = find(tokens[left], tokens[right]))
      queue.push({*merge, left, right, tokens[left], tokens[right]});
  };
  for (std::size_t i = 0; i + 1 < n; ++i) consider(i, i + 1);
  while (!queue.empty()) {
    const Candidate c = queue.top();
    queue.pop();
    // a neighbour may have been merged meanwhile
    if (tokens[c.left] != c.left_token || next[c.left] != c.right || tokens[c.right] != c.right_token)
      continue;
    tokens[c.left] = c.merge.token;
    tokens[c.right] = gone;
    next[c.left] = next[c.right];
    if (next[c.left] != n) previous[next[c.left]] = c.left;
    consider(previous[c.left], c.left);
    consider(c.left, next[c.left]);
  }
  std::erase(tokens, gone);
}

}  // namespace wafermark::llama
