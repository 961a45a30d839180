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
  /// Nothing but blank lines and comments may follow.
  void require_end();

  [[noreturn]] void fail(const std::string& found, const std::string& expected) const;

 private:
  /// Goes to the next line that holds a word; false at the end.
  bool next_line();
  double to_number(const std::string& word, const std::string& what) const;

  std::string path_, line_;
  std::unique_ptr<std::istream> in_;
  std::size_t at_ = 0;
  int number_ = 0;
};

}  // namespace wafermark::tungsten
