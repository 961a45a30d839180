// The number types that weights are stored in, and the words of a bit mask.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <type_traits>

namespace wafermark::llama {

/// The upper half of an fp32 number.
struct BFloat16 {
  std::uint16_t bits = 0;

  BFloat16() = default;
  /// Rounds to nearest, ties to even.
  KOKKOS_INLINE_FUNCTION explicit BFloat16(float value) {
    const auto word = Kokkos::bit_cast<std::uint32_t>(value);
    bits = std::uint16_t((word + 0x7fffu + (word >> 16 & 1u)) >> 16);
  }
  KOKKOS_INLINE_FUNCTION operator float() const { return Kokkos::bit_cast<float>(std::uint32_t(bits) << 16); }
};

/// Two integers of 4 bits, as int4_values.hpp puts them together.
struct Int4Pair {
  std::uint8_t bits = 0;
};

/// Weights that are integers times the scale of their group.
template <class Value>
inline constexpr bool is_scaled = std::is_same_v<Value, std::int8_t> || std::is_same_v<Value, Int4Pair>;

/// One bit a column, least significant first: which columns of a row are stored.
using MaskWord = std::uint64_t;
inline constexpr std::int64_t mask_columns = 64;

/// Columns of a row that share a scale when values are int8 or int4: 16 / 128 bits a weight.
inline constexpr std::int64_t group_columns = 128;

/// Rows that a slice of a masked matrix holds on CPUs without AVX-512 (row_dots.hpp): with fewer, loads bind
/// the multiplication, with more, sums leave the registers.
inline constexpr int slice_rows = 4;
/// Rows of a tile (tile_dots.hpp): the 32-bit lanes of a register of 64 bytes.
inline constexpr int tile_rows = 16;

}  // namespace wafermark::llama
