// What kernels that walk through packed data work on when they are counted: mask words, a stream of stored
// values and an array of sums, over Counted numbers.
#pragma once

#include <bit>

#include "wse_emulator/counted.hpp"

namespace wafermark::wse {

/// A 32-bit mask word. A comparison with it decides a branch, which counts too.
class CountedWord {
 public:
  CountedWord(std::uint32_t bits = 0) : bits_(bits) {}  // NOLINT: constants convert, at no cost
  /// From now on this word is one in memory; its copies are in registers.
  void keep_in_memory() { in_memory_ = true; }
  CountedWord(const CountedWord& other) : bits_(other.read()) {}
  CountedWord& operator=(const CountedWord& other) {
    bits_ = other.read();
    return *this;
  }
  ~CountedWord() = default;

  friend CountedWord operator-(const CountedWord& a, std::uint32_t b) { return worked(a.read() - b); }
  CountedWord& operator&=(const CountedWord& b) { return *this = worked(bits_ & b.read()); }
  friend bool operator!=(const CountedWord& a, std::uint32_t b) {
    count(Operation::compare);
    count(Operation::branch);
    return a.read() != b;
  }
  friend int countr_zero(const CountedWord& a) {
    count(Operation::integer);
    return std::countr_zero(a.read());
  }

 private:
  static CountedWord worked(std::uint32_t result) {
    count(Operation::integer);
    return {result};
  }
  std::uint32_t read() const {
    if (in_memory_) count(Operation::load);
    return bits_;
  }

  std::uint32_t bits_;
  bool in_memory_ = false;
};

/// Reads numbers one after the other.
template <class T>
class CountedStream {
 public:
  CountedStream operator++(int) const { return *this; }  // part of the load's addressing
  Counted<T> operator*() const {
    count(Operation::load);
    return T(1);
  }
};

/// Sums in memory: adding to one makes its address, reads and writes it.
template <class T>
class CountedSums {
 public:
  struct Sum {
    void operator+=(const Counted<T>& value) {
      count(Operation::integer);
      count(Operation::load);
      Counted<T> sum = T(0);
      sum += value;
      count(Operation::store);
    }
  };
  Sum operator[](std::int64_t) const { return {}; }
};

}  // namespace wafermark::wse
