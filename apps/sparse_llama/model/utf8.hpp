// UTF-8 (RFC 3629), byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wafermark::llama {

/// What stands at the beginning of some bytes: a character, the beginning of one that the bytes end in, or no
/// UTF-8. `length`: of the character; of the bytes that may be its beginning; of those that are surely none.
struct Utf8Step {
  enum Kind { character, cut, invalid } kind;
  std::size_t length;
};
Utf8Step utf8_step(std::string_view bytes);

std::string utf8_of(std::uint32_t code_point);

/// The code point of a whole character, as utf8_step found it.
std::uint32_t code_point_of(std::string_view character);

}  // namespace wafermark::llama
