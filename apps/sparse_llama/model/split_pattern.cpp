#include "sparse_llama/model/split_pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include "common/errors.hpp"
#include "sparse_llama/model/utf8.hpp"

namespace wafermark::llama {
namespace {

std::string message_of(int error) {
  PCRE2_UCHAR text[128] = "";
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

/// \s as Unicode's white space, which the expressions' authors mean; PCRE2 counts U+180E too.
std::string with_unicode_blanks(const std::string& expression) {
  std::string out;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const bool escape = expression[i] == '\\' && i + 1 < expression.size();
    const char what = escape ? expression[++i] : ' ';
    if (!escape)
      out += expression[i];
    else if (what == 's' || what == 'S')
      out += what == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
    else
      out += {'\\', what};
  }
  return out;
}

}  // namespace

SplitPattern::SplitPattern(const std::string& text, const std::string& file) : file_(file) {
  const std::string expression = with_unicode_blanks(text);
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr);
  if (code == nullptr)
    throw InputError(
        fmt::format("{}: found a pattern with an error at its byte {} ({}), expected a regular "
                    "expression",
                    file, at, message_of(error)));
  code_.reset(code, [](void* c) { pcre2_code_free(static_cast<pcre2_code*>(c)); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // only speed; not every machine has it
}

void SplitPattern::split(std::string_view text, const std::function<void(std::string_view)>& visit) const {
  while (!text.empty()) {
    std::size_t valid = 0, none = 0;  // bytes: characters, then bytes that make none
    while (valid < text.size()) {
      const Utf8Step step = utf8_step(text.substr(valid));
      if (step.kind != Utf8Step::character) break;
      valid += step.length;
    }
    while (valid + none < text.size()) {
      const Utf8Step step = utf8_step(text.substr(valid + none));
      if (step.kind == Utf8Step::character) break;
      none += step.length;
    }
    if (valid > 0) split_characters(text.substr(0, valid), visit);
    if (none > 0) visit(text.substr(valid, none));
    text.remove_prefix(valid + none);
  }
}

void SplitPattern::split_characters(std::string_view text,
                                    const std::function<void(std::string_view)>& visit) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  const std::shared_ptr<pcre2_match_data> match(pcre2_match_data_create_from_pattern(code, nullptr),
                                                pcre2_match_data_free);
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const auto search = [&](std::size_t from) {
    const std::uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
    int found = pcre2_match(code, subject, text.size(), from, options, match.get(), nullptr);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
      found = pcre2_match(code, subject, text.size(), from, options | PCRE2_NO_JIT, match.get(), nullptr);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
      throw InputError(fmt::format("{}: its pattern fails on the text ({})", file_, message_of(found)));
    return found >= 0;
  };
  std::size_t done = 0;
  const PCRE2_SIZE* place = pcre2_get_ovector_pointer(match.get());
  while (done < text.size() && search(done)) {
    const std::size_t first = place[0], last = place[1];
    if (first < done || last <= first)  // \K can say so
      throw InputError(fmt::format("{}: its pattern finds matches that end before they begin", file_));
    if (first > done) visit(text.substr(done, first - done));
    visit(text.substr(first, last - first));
    done = last;
  }
  if (done < text.size()) visit(text.substr(done));
}

}  // namespace wafermark::llama
