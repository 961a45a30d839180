// Text of strangers (file names, lines of files, words of a command line) in messages of one line.
#pragma once

#include <string>
#include <string_view>

namespace wafermark {

/// `text` on one line, without anything that a terminal would obey: control characters as `\n`, `\t`, `\r` or
/// `\x1b`, bytes that are no UTF-8 as `\xff`, invisible characters that turn or break lines (U+0080 to
/// U+009F, U+2028 and the bidirectional marks) byte by byte. All other UTF-8 stays.
std::string printable(std::string_view text);

/// The same, no longer than fits a line: the beginning and "...".
std::string excerpt(std::string_view text);

}  // namespace wafermark
