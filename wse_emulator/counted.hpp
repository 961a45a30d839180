// A scalar that counts what is done with it: kernels instantiated with Counted<float> tell how many
// operations of each class they take, from the very source that runs.
//
// A product that only goes into a sum is one fused multiply-add, as every compiler for a machine with FMA
// makes it. Values stay in registers, but for those that are kept in memory (in_memory()): what reads one
// counts a load, what assigns to it a store. So a kernel over arrays counts its words of SRAM as well, and
// one whose operand comes from the fabric, which is in no memory, counts none for it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "wse_emulator/operations.hpp"

namespace wafermark::wse {

/// Where Counted values count at present; null: nowhere. One counter at a time and thread.
inline OperationCounts*& active_counts() {
  thread_local OperationCounts* counts = nullptr;
  return counts;
}
inline void count(Operation op, std::int64_t times = 1) {
  if (OperationCounts* c = active_counts()) (*c)[op] += times;
}

/// Counts everything between its construction and its end.
class Counting {
 public:
  explicit Counting(OperationCounts& into) : former_(active_counts()) { active_counts() = &into; }
  ~Counting() { active_counts() = former_; }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  OperationCounts* former_;
};

/// What `section()` counts.
template <class Section>
OperationCounts counted(const Section& section) {
  OperationCounts counts;
  const Counting counting(counts);
  section();
  return counts;
}

template <class T>
class Counted {
 public:
  Counted() = default;
  template <class U>
  requires std::is_arithmetic_v<U> Counted(U value)
      : value_(static_cast<T>(value)) {}  // NOLINT: constants convert, at no cost
  /// A copy is in a register, wherever the original is.
  Counted(const Counted& other) : value_(other.read()), product_(other.product_) {}
  /// A value in memory stays there, and holds no product that a sum could still swallow.
  Counted& operator=(const Counted& other) {
    value_ = other.read();
    product_ = !in_memory_ && other.product_;
    if (in_memory_) count(Operation::store);
    return *this;
  }
  ~Counted() = default;
  /// From now on this value is one in memory.
  void keep_in_memory() {
    in_memory_ = true;
    product_ = false;
  }
  explicit operator T() const { return value_; }
  T value() const { return value_; }

  Counted operator-() const {
    return Counted(-read(), product_);
  }  // a sign bit of the operand: no instruction
  friend Counted operator+(const Counted& a, const Counted& b) {
    sum(a, b);
    return a.read() + b.read();
  }
  friend Counted operator-(const Counted& a, const Counted& b) {
    sum(a, b);
    return a.read() - b.read();
  }
  friend Counted operator*(const Counted& a, const Counted& b) {
    count(Operation::multiply);
    return Counted(a.read() * b.read(), true);
  }
  friend Counted operator/(const Counted& a, const Counted& b) {
    count(Operation::divide);
    return a.read() / b.read();
  }
  Counted& operator+=(const Counted& b) { return *this = *this + b; }
  Counted& operator-=(const Counted& b) { return *this = *this - b; }
  Counted& operator*=(const Counted& b) { return *this = *this * b; }

  friend bool operator<(const Counted& a, const Counted& b) { return compared(a.read() < b.read()); }
  friend bool operator>(const Counted& a, const Counted& b) { return compared(a.read() > b.read()); }
  friend bool operator<=(const Counted& a, const Counted& b) { return compared(a.read() <= b.read()); }
  friend bool operator>=(const Counted& a, const Counted& b) { return compared(a.read() >= b.read()); }

  friend Counted min(const Counted& a, const Counted& b) {
    count(Operation::select);
    return std::min(a.read(), b.read());
  }
  friend Counted max(const Counted& a, const Counted& b) {
    count(Operation::select);
    return std::max(a.read(), b.read());
  }
  friend Counted floor(const Counted& a) { return converted(std::floor(a.read())); }
  friend Counted round(const Counted& a) { return converted(std::round(a.read())); }
  friend Counted abs(const Counted& a) { return std::abs(a.read()); }  // a sign bit
  friend Counted exp(const Counted& a) { return elementary(std::exp(a.read())); }
  friend Counted log(const Counted& a) { return elementary(std::log(a.read())); }
  friend Counted sin(const Counted& a) { return elementary(std::sin(a.read())); }
  friend Counted cos(const Counted& a) { return elementary(std::cos(a.read())); }
  friend Counted select(bool condition, const Counted& yes, const Counted& no) {
    count(Operation::select);
    return condition ? yes.read() : no.read();
  }
  /// 2^n, where n stands in the low bits of `shifted` above those of `round`: subtract, add, shift.
  friend Counted power_of_two(const Counted& shifted, const Counted& round) {
    count(Operation::integer, 3);
    return std::exp2(shifted.read() - round.read());
  }
  /// The largest whole number not above a >= 0.
  friend int truncate(const Counted& a) {
    count(Operation::convert);
    return static_cast<int>(a.read());
  }
  /// 1/sqrt(x): the core has no unit for roots, so its library takes a first guess from the bits (shift and
  /// subtract) and three of Newton's steps y <- y (3/2 - x/2 y y), which reach fp32's rounding.
  friend Counted inverse_root(const Counted& x) {
    count(Operation::integer, 2);
    const Counted in_register = x;
    Counted y = first_guess(in_register.value_);
    const Counted half = Counted(T(0.5)) * in_register;
    for (int k = 0; k < 3; ++k) y = y * (Counted(T(1.5)) - half * y * y);
    return y;
  }
  friend Counted sqrt(const Counted& x) {
    const Counted in_register = x;
    return in_register * inverse_root(in_register);
  }

 private:
  Counted(T value, bool product) : value_(value), product_(product) {}
  static void sum(const Counted& a, const Counted& b) {
    const Counted& product = a.product_ ? a : b;
    if (product.product_) {
      product.product_ = false;  // a further sum with the same product adds
      count(Operation::multiply, -1);
      count(Operation::fma);
    } else {
      count(Operation::add);
    }
  }
  static bool compared(bool result) {
    count(Operation::compare);
    return result;
  }
  static Counted converted(T value) {
    count(Operation::convert);
    return value;
  }
  static Counted elementary(T value) {
    count(Operation::elementary);
    return value;
  }
  static Counted first_guess(T x);
  T read() const {
    if (in_memory_) count(Operation::load);
    return value_;
  }

  T value_{};
  mutable bool product_ = false;  ///< of a multiplication that no sum has swallowed yet
  bool in_memory_ = false;
};

/// max(a, b), for lambdas: hipcc takes those for a device's code too, which has a max() of its own for any
/// type.
template <class T>
Counted<T> larger_of(const Counted<T>& a, const Counted<T>& b) {
  return max(a, b);
}

/// So many values in memory.
template <class T>
std::vector<Counted<T>> in_memory(std::size_t n, T value = T(1)) {
  std::vector<Counted<T>> all(n, Counted<T>(value));
  for (Counted<T>& one : all) one.keep_in_memory();
  return all;
}

/// Lomont's constant (2003) for the first guess, at most 3.5 % off.
template <>
inline Counted<float> Counted<float>::first_guess(float x) {
  std::uint32_t bits;
  static_assert(sizeof bits == sizeof x);
  __builtin_memcpy(&bits, &x, sizeof x);
  bits = 0x5f375a86u - (bits >> 1);
  float y;
  __builtin_memcpy(&y, &bits, sizeof y);
  return y;
}

}  // namespace wafermark::wse
