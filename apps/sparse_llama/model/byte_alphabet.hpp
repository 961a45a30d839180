// The 256 characters that byte-level vocabularies write bytes with (GPT-2): printable Latin-1 characters mean
// themselves, the other bytes are U+0100 and on, in order.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wafermark::llama {

/// The bytes as such characters.
std::string to_byte_alphabet(std::string_view bytes);

/// The bytes that such characters mean; none if one is outside the alphabet.
std::optional<std::string> from_byte_alphabet(std::string_view characters);

}  // namespace wafermark::llama
