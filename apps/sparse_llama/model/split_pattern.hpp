// A Unicode regular expression that cuts a text into words (PCRE2: \p classes and look-ahead, which
// std::regex has not).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace wafermark::llama {

class SplitPattern {
 public:
  /// Throws InputError that names `file` when the expression is none.
  SplitPattern(const std::string& text, const std::string& file);

  /// Calls `visit` with every match and every stretch between matches, in order: together they are the text.
  /// Bytes that are no UTF-8 match nothing. Throws InputError when the expression takes too long on the text.
  void split(std::string_view text, const std::function<void(std::string_view)>& visit) const;

 private:
  void split_characters(std::string_view text, const std::function<void(std::string_view)>& visit) const;

  std::string file_;
  std::shared_ptr<void> code_;  // pcre2_code
};

}  // namespace wafermark::llama
