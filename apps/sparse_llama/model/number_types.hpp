// How numbers lie in files: one row for each type that a reader takes. Types of GGUF come in blocks that
// share a scale.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wafermark::llama {

enum class NumberType { f64, f32, f16, bf16, q8_0, q4_0 };

struct NumberRow {
  NumberType type;
  const char* name;              ///< in safetensors and messages
  std::int64_t elements, bytes;  ///< of a block
  std::int64_t in_gguf;          ///< its number there (ggml.h, enum ggml_type)
};

inline constexpr std::array<NumberRow, 6> number_rows{{
    {NumberType::f64, "F64", 1, 8, 28},
    {NumberType::f32, "F32", 1, 4, 0},
    {NumberType::f16, "F16", 1, 2, 1},
    {NumberType::bf16, "BF16", 1, 2, 30},
    {NumberType::q8_0, "Q8_0", 32, 34, 8},  // F16 d, 32 int8 q: d q
    {NumberType::q4_0, "Q4_0", 32, 18, 2},  // F16 d, 16 bytes: d (q - 8), elements 0 to 15 in the low halves
}};
constexpr const NumberRow& row_of(NumberType type) { return number_rows[std::size_t(type)]; }

/// Numbers where they lie, at any address, little-endian.
struct StoredNumbers {
  NumberType type = NumberType::f32;
  std::string_view bytes;

  /// Numbers [first, first + count) as fp32; may be called by several threads.
  void decode(std::int64_t first, std::int64_t count, float* out) const;
};

/// Of n numbers the place of the first that is infinite or none, or -1.
std::int64_t first_not_a_number(const float* numbers, std::int64_t n);

}  // namespace wafermark::llama
