#include "sparse_llama/model/number_types.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace wafermark::llama {
namespace {

/// The bits of the magnitude, moved to where fp32 has them, mean 2^-112 of it: also for subnormal numbers.
float from_half(std::uint16_t bits) {
  const std::uint32_t magnitude = std::uint32_t(bits & 0x7fffu) << 13, sign = std::uint32_t(bits & 0x8000u)
                                                                              << 16;
  const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  return std::bit_cast<float>(sign | ((bits & 0x7c00) != 0x7c00 ? scaled : 0x7f800000u | magnitude));
}

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

template <class Stored>
Stored load(const char* from) {
  Stored stored;
  std::memcpy(&stored, from, sizeof stored);
  return stored;
}

template <class Stored, class Convert>
void convert(const char* from, std::int64_t n, float* out, const Convert& value_of) {
  for (std::int64_t i = 0; i < n; ++i)
    out[i] = value_of(load<Stored>(from + i * std::int64_t(sizeof(Stored))));
}

/// Elements [first, last) of one block.
void convert_block(NumberType type, const char* block, std::int64_t first, std::int64_t last, float* out) {
  const float scale = from_half(load<std::uint16_t>(block));
  const char* quants = block + sizeof(std::uint16_t);
  for (std::int64_t i = first; i < last; ++i) {
    if (type == NumberType::q8_0) {
      *out++ = scale * float(static_cast<std::int8_t>(quants[i]));
    } else {
      const auto pair = static_cast<std::uint8_t>(quants[i % 16]);
      *out++ = scale * float((i < 16 ? pair & 15 : pair >> 4) - 8);
    }
  }
}

}  // namespace

void StoredNumbers::decode(std::int64_t first, std::int64_t count, float* out) const {
  const NumberRow& row = row_of(type);
  const char* from = bytes.data() + first / row.elements * row.bytes;
  switch (type) {
    case NumberType::f64:
      return convert<double>(from, count, out, [](double v) { return float(v); });
    case NumberType::f32:
      std::memcpy(out, from, std::size_t(count) * sizeof(float));
      return;
    case NumberType::f16:
      return convert<std::uint16_t>(from, count, out, from_half);
    case NumberType::bf16:
      return convert<std::uint16_t>(from, count, out, from_bf16);
    case NumberType::q8_0:
    case NumberType::q4_0:
      for (std::int64_t i = first % row.elements, end = i + count; i < end; from += row.bytes) {
        const std::int64_t begin = i % row.elements, some = std::min(row.elements - begin, end - i);
        convert_block(type, from, begin, begin + some, out);
        out += some;
        i += some;
      }
  }
}

std::int64_t first_not_a_number(const float* numbers, std::int64_t n) {
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < n; ++i)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(numbers[i]) & 0x7fffffffu);
  if (largest < 0x7f800000u) return -1;
  return std::find_if(numbers, numbers + n, [](float v) { return !std::isfinite(v); }) - numbers;
}

}  // namespace wafermark::llama
