#include "sparse_llama/model/utf8.hpp"

namespace wafermark::llama {

Utf8Step utf8_step(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return {Utf8Step::character, 1};
  if (lead < 0xc2 || lead > 0xf4) return {Utf8Step::invalid, 1};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == bytes.size()) return {Utf8Step::cut, i};
    // the second byte excludes overlong forms, surrogates and what is beyond U+10FFFF
    const unsigned low = i > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = i > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at(i) < low || at(i) > high) return {Utf8Step::invalid, i};
  }
  return {Utf8Step::character, length};
}

std::string utf8_of(std::uint32_t c) {
  if (c < 0x80) return {char(c)};
  if (c < 0x800) return {char(0xc0 | c >> 6), char(0x80 | (c & 63))};
  if (c < 0x10000) return {char(0xe0 | c >> 12), char(0x80 | (c >> 6 & 63)), char(0x80 | (c & 63))};
  return {char(0xf0 | c >> 18), char(0x80 | (c >> 12 & 63)), char(0x80 | (c >> 6 & 63)),
          char(0x80 | (c & 63))};
}

std::uint32_t code_point_of(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead;
  std::uint32_t c = lead & (0x7fu >> character.size());
  for (const char byte : character.substr(1)) c = c << 6 | (static_cast<unsigned char>(byte) & 63u);
  return c;
}

}  // namespace wafermark::llama
