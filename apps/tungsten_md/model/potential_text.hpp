// The text of a potential file: words of a header, and tables that end where a line ends, as in LAMMPS.
#pragma once

#include <istream>
#include <memory>
#include <string>
#include <vector>

namespace wafermark::tungsten {

/// Reads from the top. '#' begins a comment except in comment_line(). Every failure throws InputError
/// "FILE:LINE: found ..., expected ...".
class PotentialText {
 public:
  explicit PotentialText(const std::string& path);

  /// The next line as it is.
  std::string comment_line();
  /// Passes over blank lines and those that begin with '#', up to one of these that holds `marker`; false at
  /// the end of the file. Anything else fails; `expected` then says what of.
  bool find_marker(const std::string& marker, const std::string& expected);
  /// The line that find_marker or comment_line came to.
  const std::string& line() const { return line_; }
  /// The next word, on this line or a later one; `what` is expected.
  std::string word(const std::string& what);
  /// Whether this line holds another word.
  bool line_has_more();
  double number(const std::string& what);
  double positive(const std::string& what);
  int count(const std::string& what, int least);

  /// `n` numbers on the lines that follow this one; what else this line holds is passed over. The last number
  /// must end its line: one value too many or too few anywhere would shift all that follows.
  std::vector<double> table(int n, const std::string& what);
  /// Nothing but a comment may follow on this line.
  void require_line_end(const std::string& expected);
  /// Nothing but blank lines and comments may follow.
  void require_end();

  [[noreturn]] void fail(const std::string& found, const std::string& expected) const;
  /// The same where a piece of the text was found.
  [[noreturn]] void refuse(const std::string& text, const std::string& expected) const;

 private:
  /// Takes the next line; false, with an empty one, at the end.
  bool read_line();
  /// Goes to the next line that holds a word; false at the end.
  bool next_line();
  double to_number(const std::string& word, const std::string& what) const;

  std::string path_, line_;
  std::unique_ptr<std::istream> in_;
  std::size_t at_ = 0;
  int number_ = 0;
};

}  // namespace wafermark::tungsten
