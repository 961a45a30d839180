// What the values of command-line options may be, checked as the words are read and told as decks tell
// theirs:
// "--steps: found 'abc', expected a whole number from 1 to 1e9".
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <string>
#include <vector>

#include "common/number_range.hpp"

namespace wafermark {

/// For options of integers: `option->transform(whole_number_in({1, 1e9}))`; 1e3 is 1000, 010 is 10.
CLI::Validator whole_number_in(Range range);
/// For options of numbers.
CLI::Validator number_in(Range range);
/// For options of words.
CLI::Validator one_of(std::vector<std::string> choices);
/// Any text but none: of names of files and folders.
CLI::Validator not_empty(std::string what);

/// A file that a command writes: in a folder that there is, and no device or folder itself, which a file put
/// in its place would destroy.
CLI::Validator file_to_write();

/// Lets an option be given several times, each time with one value: what follows is another option's, or the
/// command's own.
CLI::Option* repeated(CLI::Option* option);

/// "8x6" as two whole numbers of at least `least`. Throws InputError with the option's name.
std::array<int, 2> number_pair(const std::string& text, const std::string& option, char between, int least);

}  // namespace wafermark
