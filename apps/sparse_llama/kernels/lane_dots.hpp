// What one lane of a warp adds to the product of a stored row and V vectors: on devices, where a warp shares
// a row. Values come in as many bytes as one load brings, since a lane has few loads under way at once.
#pragma once

#include "sparse_llama/kernels/row_dots.hpp"
#include "sparse_llama/kernels/vector_loop.hpp"

namespace wafermark::llama {

/// The values that lanes multiply.
template <class Value>
inline constexpr bool lanes_multiply =
    std::is_same_v<Value, float> || std::is_same_v<Value, BFloat16> || std::is_same_v<Value, std::int8_t>;

/// The type of a sum before it is scaled: integers are summed exactly.
template <class Value>
using DotSum = std::conditional_t<std::is_same_v<Value, std::int8_t>, std::int32_t, float>;

/// Four numbers side by side, which one load brings.
template <class T>
struct alignas(4 * sizeof(T)) Quad {
  T at[4];
};
inline constexpr int quad_columns = 4;

/// Those that begin at `first`, a multiple of their size.
template <class T>
KOKKOS_INLINE_FUNCTION Quad<T> quad_at(const T* first) {
  return *reinterpret_cast<const Quad<T>*>(first);
}

/// sums[v] += the product of four columns of a dense row and of vector v, whose elements begin at
/// x + v * stride.
template <int V, class Value, class X>
KOKKOS_INLINE_FUNCTION void quad_dots(const Quad<Value>& w, const X* x, std::int64_t stride,
                                      DotSum<Value> (&sums)[V]) {
  for (int v = 0; v < V; ++v) {
    const Quad<X> elements = quad_at(x + v * stride);
    for (int k = 0; k < quad_columns; ++k) sums[v] += DotSum<Value>(w.at[k]) * DotSum<Value>(elements.at[k]);
  }
}

/// Packed values one after the other, eight bytes a load. Reads the whole of the eight bytes that the first
/// and the last lie in.
template <class Value>
class ValueStream {
 public:
  KOKKOS_INLINE_FUNCTION explicit ValueStream(const Value* first) {
    const auto address = reinterpret_cast<std::uintptr_t>(first);
    const int skipped = int(address % sizeof(std::uint64_t)) / int(sizeof(Value));
    next_ = reinterpret_cast<const std::uint64_t*>(address - address % sizeof(std::uint64_t));
    bits_ = *next_++ >> bits * skipped;
    left_ = together - skipped;
  }
  KOKKOS_INLINE_FUNCTION Value take() {
    if (left_ == 0) {
      bits_ = *next_++;
      left_ = together;
    }
    const Value value = lowest();
    bits_ >>= bits;
    --left_;
    return value;
  }

 private:
  static constexpr int bits = 8 * int(sizeof(Value)), together = 64 / bits;
  KOKKOS_INLINE_FUNCTION Value lowest() const {
    if constexpr (sizeof(Value) == 4)
      return Kokkos::bit_cast<Value>(std::uint32_t(bits_));
    else if constexpr (sizeof(Value) == 2)
      return Kokkos::bit_cast<Value>(std::uint16_t(bits_));
    else
      return Kokkos::bit_cast<Value>(std::uint8_t(bits_));
  }
  const std::uint64_t* next_;
  std::uint64_t bits_;
  int left_;
};

/// sums[v] += the product of the columns whose bit is set, with their values in order, and of vector v, whose
/// elements for this word begin at x + v * stride.
template <int V, class Value, class X>
KOKKOS_INLINE_FUNCTION void word_dots(MaskWord mask, ValueStream<Value> values, const X* x,
                                      std::int64_t stride, DotSum<Value> (&sums)[V]) {
  constexpr int half_bits = 32;  // devices count and clear bits in 32-bit registers
  for (int half = 0; half < 2; ++half, mask >>= half_bits, x += half_bits)
    for (auto rest = std::uint32_t(mask); rest != 0; rest &= rest - 1) {
      const int column = Kokkos::countr_zero(rest);
      const auto value = DotSum<Value>(values.take());
      for (int v = 0; v < V; ++v) sums[v] += value * DotSum<Value>(x[v * stride + column]);
    }
}

}  // namespace wafermark::llama
