// Numbers that tell whether data are what they were: not against malice, but against flipped bits, cut files
// and mixed-up inputs.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark {

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
constexpr std::uint64_t mix_bits(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

template <class T>
std::uint64_t bits_of(T value) {
  if constexpr (sizeof(T) == 8)
    return std::bit_cast<std::uint64_t>(value);
  else
    return static_cast<std::uint64_t>(value);
}

/// A sum over the rows of a distributed array, rows `first` ... of it here: it does not depend on the
/// partition, but on every bit and its place. Collective.
template <class T>
std::uint64_t digest_of_rows(const Communicator& comm, const std::vector<T>& mine, std::uint64_t first,
                             std::uint64_t columns) {
  const std::uint64_t rows = mine.size() / columns;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < rows; ++i) {
    std::uint64_t row = mix_bits(first + i + 1);
    for (std::uint64_t c = 0; c < columns; ++c) row = mix_bits(row ^ bits_of(mine[i * columns + c])) + c;
    total += row;
  }
  return comm.sum(total);
}

/// Takes in value after value, in their order.
class Digest {
 public:
  template <class T>
  Digest& add(T value) {
    state_ = mix_bits(state_ ^ bits_of(value)) + 1;
    return *this;
  }
  template <class T>
  Digest& add(const std::vector<T>& values) {
    add(std::uint64_t{values.size()});
    for (const T& v : values) add(v);
    return *this;
  }
  Digest& add(std::string_view text) {
    add(std::uint64_t{text.size()});
    for (const char c : text) add(static_cast<std::uint8_t>(c));
    return *this;
  }
  std::uint64_t value() const { return state_; }
  /// Sixteen hexadecimal digits.
  std::string text() const;

 private:
  std::uint64_t state_ = 0x9e3779b97f4a7c15u;
};

}  // namespace wafermark
