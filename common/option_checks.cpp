#include "common/option_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark {
namespace {

std::string expected(const std::string& found, const std::string& what) {
  return fmt::format("found '{}', expected {}", excerpt(found), what);
}

}  // namespace

CLI::Validator whole_number_in(Range range) {
  return CLI::Validator(
      [range](std::string& word) {
        const auto whole = parse_whole_number(word);
        if (!whole || !range.holds(static_cast<double>(*whole)))
          return expected(word, range.text("a whole number"));
        word = std::to_string(*whole);
        return std::string();
      },
      "");
}

CLI::Validator number_in(Range range) {
  return CLI::Validator(
      [range](std::string& word) {
        const auto number = parse_number(word);
        return number && range.holds(*number) ? std::string() : expected(word, range.text("a number"));
      },
      "");
}

CLI::Validator one_of(std::vector<std::string> choices) {
  const std::string what = fmt::format("{}", fmt::join(choices, ", "));
  return CLI::Validator(
      [choices = std::move(choices), what](std::string& word) {
        const bool known = std::find(choices.begin(), choices.end(), word) != choices.end();
        return known ? std::string() : expected(word, choices.size() == 1 ? what : "one of " + what);
      },
      "");
}

CLI::Validator not_empty(std::string what) {
  return CLI::Validator(
      [what = std::move(what)](std::string& word) {
        return word.empty() ? expected(word, what) : std::string();
      },
      "");
}

CLI::Validator file_to_write() {
  return CLI::Validator(
      [](std::string& word) {
        namespace fs = std::filesystem;
        std::error_code none;
        const fs::path path(word);
        if (word.empty()) return expected(word, "a file to write");
        if (fs::exists(path, none) && !fs::is_regular_file(path, none))
          return expected(word, "a file to write, not a folder or device");
        if (!fs::is_directory(path.has_parent_path() ? path.parent_path() : ".", none))
          return expected(word, "a file in a folder that there is");
        return std::string();
      },
      "");
}

CLI::Option* repeated(CLI::Option* option) {
  return option->take_all()->delimiter('\0')->allow_extra_args(false);
}

std::array<int, 2> number_pair(const std::string& text, const std::string& option, char between, int least) {
  const std::size_t at = text.find(between);
  const auto number = [&](const std::string& word) {
    const auto n = parse_whole_number(word);
    return n && *n >= least && *n <= 1000000 && word.find_first_not_of("0123456789") == std::string::npos
               ? static_cast<int>(*n)
               : -1;
  };
  std::array<int, 2> pair{-1, -1};
  if (at != std::string::npos) pair = {number(text.substr(0, at)), number(text.substr(at + 1))};
  if (pair[0] < 0 || pair[1] < 0)
    throw InputError(fmt::format("{}: found '{}', expected two whole numbers of at least {}, as 8{}6", option,
                                 text, least, between));
  return pair;
}

}  // namespace wafermark
