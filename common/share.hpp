// A rank's even part of things that stand in a row.
#pragma once

#include <cstdint>

namespace wafermark {

/// Elements [first, first + count).
struct Share {
  std::int64_t first, count;
  std::int64_t end() const { return first + count; }
};
/// As even as whole elements allow. total * ranks must stay below 2^63.
inline Share share_of(std::int64_t total, int rank, int ranks) {
  const std::int64_t first = total * rank / ranks;
  return {first, total * (rank + 1) / ranks - first};
}

}  // namespace wafermark
