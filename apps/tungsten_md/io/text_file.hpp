// A text file, plain or compressed, read line by line, with errors that say where: "FILE:LINE: found X,
// expected Y".
#pragma once

#include <cstdint>
#include <istream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wafermark::tungsten {

/// One process's view; lines are counted from 1. Every failure throws InputError.
class TextFile {
 public:
  explicit TextFile(const std::string& path);

  /// Goes to the next line; false at the end of the file.
  bool next();
  /// Whether the last line that was read lacks its newline: it may be cut off.
  bool cut() const { return cut_; }
  /// Goes to the next line, which must exist; `expected` says what should be there.
  void require_next(const std::string& expected);

  const std::string& path() const { return path_; }
  const std::string& line() const { return line_; }
  /// The words of the line up to a '#'.
  const std::vector<std::string_view>& words() const { return words_; }
  /// What follows the first '#', without surrounding blanks.
  std::string_view comment() const { return comment_; }

  /// Word `i` as a finite number or an integer in [low, high].
  double number(std::size_t i, std::string_view what) const;
  std::int64_t integer(std::size_t i, std::string_view what, std::int64_t low,
                       std::int64_t high = std::numeric_limits<std::int64_t>::max()) const;
  /// `text`, a word or comment of the line, as the name of an element or type (is_name).
  std::string name(std::string_view text) const;
  /// Throws unless word `i`, a tilt of the box, is zero or rounding beside an edge of `length`
  /// (Box::is_rounding).
  void require_no_tilt(std::size_t i, double length) const;
  /// Throws unless the line has at least (exactly) n words.
  void require_words(std::size_t at_least, std::string_view expected) const;

  [[noreturn]] void fail(std::string_view found, std::string_view expected) const;
  /// `text` in quotes, shortened, unprintable characters replaced.
  static std::string quoted(std::string_view text);

 private:
  std::string path_;
  std::unique_ptr<std::istream> stream_;
  bool cut_ = false;
  std::int64_t line_number_ = 0;
  std::string line_;
  std::vector<std::string_view> words_;
  std::string_view comment_;
};

}  // namespace wafermark::tungsten
