#include "sparse_llama/model/text_lines.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/text_file.hpp"

namespace wafermark::llama {

void each_line(const std::string& path,
               const std::function<void(std::string_view, std::int64_t, const std::string&)>& visit) {
  const std::string text = read_text(path);
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);  // the mark that some editors put first
  bool any = false;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t\r\v\f") == std::string_view::npos) continue;
    any = true;
    visit(line, number, fmt::format("{}: line {}", path, number));
  }
  if (!any) throw InputError(fmt::format("{}: found no line, expected one or more", path));
}

void each_json_line(
    const std::string& path,
    const std::function<void(const nlohmann::json&, std::int64_t, const std::string&)>& visit) {
  each_line(path, [&](std::string_view line, std::int64_t number, const std::string& where) {
    visit(parse_json(line, where), number, where);
  });
}

}  // namespace wafermark::llama
