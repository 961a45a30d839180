#include "tungsten_md/io/text_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "common/errors.hpp"
#include "common/text_input.hpp"
#include "tungsten_md/model/box.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {

namespace {
constexpr std::string_view blanks = " \t\r\f\v";
}

TextFile::TextFile(const std::string& path) : path_(path), stream_(open_text(path, "a text file of atoms")) {}

bool TextFile::next() {
  words_.clear();
  comment_ = {};
  if (!std::getline(*stream_, line_)) {
    line_.clear();
    return false;
  }
  ++line_number_;
  cut_ = stream_->eof();

  std::string_view rest = line_;
  if (const auto hash = rest.find('#'); hash != std::string_view::npos) {
    comment_ = rest.substr(hash + 1);
    rest = rest.substr(0, hash);
    const auto first = comment_.find_first_not_of(blanks);
    comment_ = first == std::string_view::npos ? std::string_view{} : comment_.substr(first);
    if (!comment_.empty()) comment_ = comment_.substr(0, comment_.find_last_not_of(blanks) + 1);
  }
  for (auto at = rest.find_first_not_of(blanks); at != std::string_view::npos;) {
    const auto end = std::min(rest.find_first_of(blanks, at), rest.size());
    words_.push_back(rest.substr(at, end - at));
    at = rest.find_first_not_of(blanks, end);
  }
  return true;
}

void TextFile::require_next(const std::string& expected) {
  if (next()) return;
  ++line_number_;
  fail("the end of the file", expected);
}

double TextFile::number(std::size_t i, std::string_view what) const {
  require_words(i + 1, what);
  const std::string_view word = words_[i];
  const std::string_view digits = word.starts_with('+') ? word.substr(1) : word;
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range &&
      std::abs(std::strtod(std::string(digits).c_str(), nullptr)) < 1.0)
    return 0.0;  // below the smallest double
  if (error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value))
    fail(quoted(word), what);
  return value;
}

std::int64_t TextFile::integer(std::size_t i, std::string_view what, std::int64_t low,
                               std::int64_t high) const {
  require_words(i + 1, what);
  const std::string_view word = words_[i];
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error == std::errc::result_out_of_range && end == word.data() + word.size())
    fail(quoted(word) + ", too large for 64 bits", what);
  if (error != std::errc{} || end != word.data() + word.size() || value < low || value > high)
    fail(quoted(word), what);
  return value;
}

std::string TextFile::name(std::string_view text) const {
  if (!is_name(text)) fail(quoted(text), "a name of printable ASCII characters");
  return std::string(text);
}

void TextFile::require_no_tilt(std::size_t i, double length) const {
  const double tilt = number(i, "a tilt of the box");
  if (!Box::is_rounding(tilt, length)) fail("a triclinic box", "an orthogonal box");
}

void TextFile::require_words(std::size_t at_least, std::string_view expected) const {
  if (words_.size() < at_least) fail(words_.empty() ? "an empty line" : quoted(line_), expected);
}

void TextFile::fail(std::string_view found, std::string_view expected) const {
  throw InputError(fmt::format("{}:{}: found {}, expected {}", path_, line_number_, found, expected));
}

std::string TextFile::quoted(std::string_view text) {
  std::string shown;
  for (char c : text.substr(0, 60)) shown += c >= ' ' && c <= '~' ? c : '?';
  return fmt::format("'{}{}'", shown, text.size() > 60 ? "..." : "");
}

}  // namespace wafermark::tungsten
