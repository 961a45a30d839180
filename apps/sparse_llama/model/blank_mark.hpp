// How pieces of SentencePiece, and of tokenizers that were converted from it, write a blank.
#pragma once

#include <string>
#include <string_view>

namespace wafermark::llama {

inline constexpr std::string_view blank_mark = "\u2581";

/// The piece with blanks for its marks.
inline std::string with_blanks(std::string_view piece) {
  std::string text;
  while (!piece.empty()) {
    const bool mark = piece.starts_with(blank_mark);
    text += mark ? ' ' : piece.front();
    piece.remove_prefix(mark ? blank_mark.size() : 1);
  }
  return text;
}

}  // namespace wafermark::llama
