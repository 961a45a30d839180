// What a tile's core does, in classes that a machine file gives a price.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace wafermark::wse {

/// load and store are words that an instruction reads from or writes to SRAM. `elementary`: exp, log, sin,
/// cos. `move`: copies, as from memory to the fabric. `half_fma`: a multiply-add of 16-bit numbers in the
/// lanes of a vector instruction (Section::vector), whose energy includes issue and words of memory.
enum class Operation {
  add,
  multiply,
  fma,
  divide,
  compare,
  select,
  convert,
  move,
  integer,
  elementary,
  branch,
  half_fma,
  load,
  store
};
inline constexpr std::size_t operation_classes = 14;
inline constexpr std::array<const char*, operation_classes> operation_names = {
    "add",  "multiply", "fma",        "divide", "compare",  "select", "convert",
    "move", "integer",  "elementary", "branch", "half_fma", "load",   "store"};

/// How often each class occurs in a piece of code.
struct OperationCounts {
  std::array<std::int64_t, operation_classes> n{};

  std::int64_t& operator[](Operation op) { return n[static_cast<std::size_t>(op)]; }
  std::int64_t operator[](Operation op) const { return n[static_cast<std::size_t>(op)]; }
  OperationCounts& operator+=(const OperationCounts& o) {
    for (std::size_t k = 0; k < n.size(); ++k) n[k] += o.n[k];
    return *this;
  }
  OperationCounts& operator-=(const OperationCounts& o) {
    for (std::size_t k = 0; k < n.size(); ++k) n[k] -= o.n[k];
    return *this;
  }
  friend OperationCounts operator+(OperationCounts a, const OperationCounts& b) { return a += b; }
  friend OperationCounts operator-(OperationCounts a, const OperationCounts& b) { return a -= b; }
  friend OperationCounts operator*(std::int64_t times, OperationCounts a) {
    for (auto& k : a.n) k *= times;
    return a;
  }
  bool operator==(const OperationCounts&) const = default;

  /// The same with every fused multiply-add done by two instructions: what vector code needs where both
  /// factors are vectors, since the core's vector multiply-add takes one factor from a register (vendor's
  /// SDK:
  /// `@fmacs(destination, vector, vector, scalar)`).
  OperationCounts without_fma() const {
    OperationCounts c = *this;
    c[Operation::multiply] += c[Operation::fma];
    c[Operation::add] += c[Operation::fma];
    c[Operation::fma] = 0;
    return c;
  }

  /// Multiply-adds as the lanes for 16-bit numbers do them: one price each, which includes their words.
  OperationCounts in_lanes() const {
    OperationCounts c = *this;
    const std::int64_t fma = c[Operation::fma];
    c[Operation::half_fma] += fma;
    c[Operation::fma] = 0;
    c[Operation::load] -= std::min(c[Operation::load], 2 * fma);
    c[Operation::store] -= std::min(c[Operation::store], fma);
    return c;
  }

  /// Operations on fp32 values; a fused multiply-add is two.
  std::int64_t flops() const {
    return (*this)[Operation::add] + (*this)[Operation::multiply] + 2 * (*this)[Operation::fma] +
           (*this)[Operation::divide];
  }
  /// Everything that takes a turn in the core's pipeline by itself: all but the words of memory and what goes
  /// in lanes.
  std::int64_t instructions() const {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < n.size(); ++k) sum += n[k];
    return sum - (*this)[Operation::load] - (*this)[Operation::store] - (*this)[Operation::half_fma];
  }
};

}  // namespace wafermark::wse
