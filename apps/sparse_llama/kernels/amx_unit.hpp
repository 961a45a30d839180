// A matrix unit as kernels see it (AMX: Sapphire Rapids and later): eight registers of up to sixteen rows of
// 64 bytes, and sums += a b of what they hold. The unit itself, and one in C++ that gives the same bits, so
// that the code around it runs where no AMX is.
#pragma once

#include <array>
#include <cmath>
#include <cstring>

#include "sparse_llama/kernels/value_types.hpp"

namespace wafermark::llama::amx {

inline constexpr int unit_rows = 16, unit_bytes = 64;  ///< of a register: rows, bytes of a row

/// How many rows each of the eight registers has; 64 bytes each.
using RegisterRows = std::array<int, 8>;

/// AMX itself. In assembly, so that programs for CPUs without it have it for those with.
class Unit {
 public:
  /// For this thread, until the object dies.
  explicit Unit(const RegisterRows& rows) {
    alignas(64) struct {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t bytes[16] = {};
      std::uint8_t rows[16] = {};
    } configuration;
    static_assert(sizeof configuration == 64);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      configuration.bytes[t] = unit_bytes;
      configuration.rows[t] = std::uint8_t(rows[t]);
    }
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  ~Unit() { asm volatile("tilerelease"); }
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  template <int t>
  void clear() {
    asm volatile("tilezero %%tmm%c0" ::"i"(t));
  }
  /// Rows that follow each other.
  template <int t>
  void load(const void* from) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(std::int64_t(unit_bytes)), "i"(t)
                 : "memory");
  }
  template <int t>
  void store(void* to) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(std::int64_t(unit_bytes)), "i"(t)
                 : "memory");
  }
  /// sums[m][n] += the products of all k of as many columns c as fill 32 bits (int8: four, bf16: two),
  /// a[m][k][c] b[k][n][c]: int8 as exact 32-bit integers, bf16 as fp32 numbers.
  template <class Value, int sums, int a, int b>
  void multiply() {
    if constexpr (std::is_same_v<Value, BFloat16>)
      asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(a), "i"(b));
    else
      asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(a), "i"(b));
  }
};

/// Numbers too small for the ordinary exponents become zeros.
inline float flushed(float value) {
  return std::abs(value) < 1.17549435e-38f ? std::copysign(0.0f, value) : value;
}

/// The same in C++.
class EmulatedUnit {
 public:
  explicit EmulatedUnit(const RegisterRows& rows) : rows_(rows) {}

  template <int t>
  void clear() {
    std::memset(registers_[t], 0, sizeof registers_[t]);
  }
  template <int t>
  void load(const void* from) {
    clear<t>();
    std::memcpy(registers_[t], from, std::size_t(rows_[t] * unit_bytes));
  }
  template <int t>
  void store(void* to) const {
    std::memcpy(to, registers_[t], std::size_t(rows_[t] * unit_bytes));
  }
  template <class Value, int sums, int a, int b>
  void multiply() {
    using Sum = std::conditional_t<std::is_same_v<Value, BFloat16>, float, std::int32_t>;
    for (int m = 0; m < rows_[sums]; ++m)
      for (int n = 0; n < unit_bytes / 4; ++n) {
        const Sum before = element<Sum>(sums, m, n);
        const Sum after = before_and_products<Value>(before, a, b, m, n);
        std::memcpy(registers_[sums][m] + 4 * n, &after, 4);
      }
  }

 private:
  template <class T>
  T element(int t, int row, int i) const {
    T value;
    std::memcpy(static_cast<void*>(&value), registers_[t][row] + std::size_t(i) * sizeof(T), sizeof value);
    return value;
  }
  template <class Value>
  std::int32_t before_and_products(std::int32_t sum, int a, int b, int m, int n) const {
    for (int k = 0; k < rows_[b]; ++k)
      for (int c = 0; c < 4; ++c)
        sum += std::int32_t(element<Value>(a, m, 4 * k + c)) * element<Value>(b, k, 4 * n + c);
    return sum;
  }
  /// As Intel's manual defines TDPBF16PS (Software Developer's Manual, volume 2): even and odd columns have
  /// a sum each, all of them before anything else is added; each step rounds to nearest, and numbers too
  /// small for the ordinary exponents are zeros going in and coming out.
  template <class Value>
  float before_and_products(float before, int a, int b, int m, int n) const {
    float sums[2] = {};
    for (int k = 0; k < rows_[b]; ++k)
      for (int c = 0; c < 2; ++c)
        sums[c] = flushed(std::fma(flushed(element<Value>(a, m, 2 * k + c)),
                                   flushed(element<Value>(b, k, 2 * n + c)), sums[c]));
    return flushed(flushed(before) + flushed(sums[0] + sums[1]));
  }

  RegisterRows rows_;
  std::int8_t registers_[8][unit_rows][unit_bytes] = {};
};

}  // namespace wafermark::llama::amx
