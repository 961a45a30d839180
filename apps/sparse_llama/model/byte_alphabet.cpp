#include "sparse_llama/model/byte_alphabet.hpp"

#include <array>
#include <cstdint>

#include "sparse_llama/model/utf8.hpp"

namespace wafermark::llama {
namespace {

struct Alphabet {
  std::array<std::string, 256> character;
  std::array<int, 512> byte{};  // of a code point; -1: none

  Alphabet() {
    byte.fill(-1);
    std::uint32_t next = 256;
    for (std::uint32_t b = 0; b < 256; ++b) {
      const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      const std::uint32_t code_point = printable ? b : next++;
      character[b] = utf8_of(code_point);
      byte[code_point] = int(b);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet a;
  return a;
}

}  // namespace

std::string to_byte_alphabet(std::string_view bytes) {
  std::string characters;
  for (const char b : bytes) characters += alphabet().character[static_cast<unsigned char>(b)];
  return characters;
}

std::optional<std::string> from_byte_alphabet(std::string_view characters) {
  std::string bytes;
  while (!characters.empty()) {
    const Utf8Step step = utf8_step(characters);
    if (step.kind != Utf8Step::character) return std::nullopt;
    const std::uint32_t c = code_point_of(characters.substr(0, step.length));
    if (c >= alphabet().byte.size() || alphabet().byte[c] < 0) return std::nullopt;
    bytes += char(alphabet().byte[c]);
    characters.remove_prefix(step.length);
  }
  return bytes;
}

}  // namespace wafermark::llama
