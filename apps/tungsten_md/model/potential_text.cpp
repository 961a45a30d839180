#include "tungsten_md/model/potential_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "common/errors.hpp"
#include "common/text_input.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int largest_table = 10'000'000;
constexpr const char* blanks = " \t\r\f\v";

/// In quotes, shortened, unprintable characters replaced.
std::string in_quotes(const std::string& text) {
  std::string shown;
  for (const char c : text.substr(0, 60)) shown += c >= ' ' && c <= '~' ? c : '?';
  return fmt::format("'{}{}'", shown, text.size() > 60 ? "..." : "");
}

}  // namespace

PotentialText::PotentialText(const std::string& path)
    : path_(path), in_(open_text(path, "a potential file")) {}

std::string PotentialText::comment_line() {
  ++number_;
  if (!std::getline(*in_, line_)) fail("the end of the file", "a comment line");
  if (line_.find('\0') != std::string::npos) fail("binary data", "a comment line");
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  at_ = line_.size();
  return line_;
}

bool PotentialText::read_line() {
  ++number_;
  at_ = 0;
  if (std::getline(*in_, line_)) return true;
  line_.clear();
  return false;
}

bool PotentialText::find_marker(const std::string& marker, const std::string& expected) {
  while (read_line()) {
    if (line_.find('\0') != std::string::npos) fail("binary data", expected);
    if (!line_has_more()) continue;
    if (line_[at_] != '#') fail(in_quotes(line_), expected);
    at_ = line_.size();
    if (line_.find(marker) != std::string::npos) return true;
  }
  return false;
}

bool PotentialText::next_line() {
  while (read_line()) {
    if (const auto hash = line_.find('#'); hash != std::string::npos) line_.resize(hash);
    if (line_has_more()) return true;
  }
  return false;
}

bool PotentialText::line_has_more() {
  at_ = std::min(line_.find_first_not_of(blanks, at_), line_.size());
  return at_ < line_.size();
}

std::string PotentialText::word(const std::string& what) {
  if (!line_has_more() && !next_line()) fail("the end of the file", what);
  const std::size_t begin = at_;
  at_ = std::min(line_.find_first_of(blanks, begin), line_.size());
  return line_.substr(begin, at_ - begin);
}

double PotentialText::to_number(const std::string& word, const std::string& what) const {
  std::string w = word;
  std::replace_if(
      w.begin(), w.end(), [](char c) { return c == 'D' || c == 'd'; }, 'e');  // Fortran
  double x = 0.0;
  const char* begin = w.data() + (w[0] == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, w.data() + w.size(), x);
  // Out of range is too small (1e-400 is 0 for us) or too large; only strtod tells which.
  if (error == std::errc::result_out_of_range) x = std::strtod(begin, nullptr);
  const bool is_number = error == std::errc() || error == std::errc::result_out_of_range;
  if (!is_number || end != w.data() + w.size() || !std::isfinite(x)) fail(in_quotes(word), what);
  return x;
}

double PotentialText::number(const std::string& what) { return to_number(word(what), what); }

double PotentialText::positive(const std::string& what) {
  const double x = number(what);
  if (!(x > 0.0)) fail(fmt::format("{}", x), what + " above 0");
  return x;
}

int PotentialText::count(const std::string& what, int least) {
  const double x = number(what);
  if (x != std::floor(x) || x < least || x > largest_table)
    fail(fmt::format("{}", x), fmt::format("{}, from {} to {}", what, least, largest_table));
  return static_cast<int>(x);
}

std::vector<double> PotentialText::table(int n, const std::string& what) {
  const auto wanted = static_cast<std::size_t>(n);
  std::vector<double> values;
  values.reserve(std::min<std::size_t>(wanted, 1 << 16));
  const auto expected = [&] { return fmt::format("{} numbers: {}", n, what); };
  at_ = line_.size();
  while (values.size() < wanted) {
    if (!next_line()) fail(fmt::format("the end of the file after {} numbers", values.size()), expected());
    while (line_has_more()) {
      const std::size_t row = values.size() + 1;
      values.push_back(number(row == 1 ? what : fmt::format("{} {} of {}", what, row, n)));
    }
  }
  if (values.size() > wanted)
    fail(fmt::format("{} numbers up to the end of this line", values.size()),
         expected() +
             ", the last one at the end of its line (is there one too many or too few, here or before?)");
  return values;
}

void PotentialText::require_line_end(const std::string& expected) {
  if (line_has_more()) fail(in_quotes(line_.substr(at_)), expected);
}

void PotentialText::require_end() {
  if (next_line())
    fail(in_quotes(line_), "the end of the file after the last table (is there a number too many before?)");
}

void PotentialText::fail(const std::string& found, const std::string& expected) const {
  throw InputError(fmt::format("{}:{}: found {}, expected {}", path_, number_, found, expected));
}

void PotentialText::refuse(const std::string& text, const std::string& expected) const {
  fail(in_quotes(text), expected);
}

}  // namespace wafermark::tungsten
