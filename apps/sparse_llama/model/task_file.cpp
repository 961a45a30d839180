#include "sparse_llama/model/task_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/text_lines.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

constexpr const char* white_space = " \t\n\r\v\f";

const std::string& text_of(const json& value, const std::string& what) {
  if (!value.is_string()) throw InputError(fmt::format("{} = {}: expected a text", what, shown(value)));
  return value.get_ref<const std::string&>();
}

std::int64_t label_of(const json& line, const std::string& where, std::size_t endings) {
  const json label = member(line, "label");
  if (label.is_null() && endings == 1) return 0;
  const auto most = std::int64_t(endings) - 1;
  std::int64_t value = -1;
  if (label.is_number_integer()) {
    const double number = label.get<double>();
    value = number >= 0 && number <= double(most) ? label.get<std::int64_t>() : -1;
  } else if (label.is_string()) {
    for (std::int64_t i = 0; i <= most; ++i)
      if (label.get_ref<const std::string&>() == std::to_string(i)) value = i;
  }
  if (value < 0)
    throw InputError(
        fmt::format("{}: label = {}: expected 0 to {}, the number of an ending", where, shown(label), most));
  return value;
}

TaskItem item_of(const json& line, std::int64_t number, const std::string& where) {
  if (!line.is_object())
    throw InputError(fmt::format("{}: found {}, expected an object", where, shown(line)));
  TaskItem item;
  item.line = number;
  item.context = text_of(member(line, "context"), where + ": context");
  const json endings = member(line, "endings");
  if (!endings.is_array() || endings.empty())
    throw InputError(
        fmt::format("{}: endings = {}: expected a list of one or more texts", where, shown(endings)));
  for (const json& ending : endings) {
    item.endings.push_back(text_of(ending, where + ": an ending"));
    if (item.endings.back().find_first_not_of(white_space) == std::string::npos)
      throw InputError(fmt::format("{}: found an empty ending, expected a text", where));
  }
  item.label = label_of(line, where, item.endings.size());
  return item;
}

/// The two texts, with white space between them, all of it on the ending's side.
std::pair<std::string, std::string> joined(const std::string& context, const std::string& ending) {
  const std::size_t end = context.find_last_not_of(white_space) + 1;  // 0 where there is nothing else
  const bool apart =
      end < context.size() || std::string_view(white_space).find(ending[0]) != std::string::npos;
  const std::string between = end == 0 ? "" : apart ? context.substr(end) : " ";
  return {context.substr(0, end), between + ending};
}

/// Drops tokens at the beginning until the rest fits; whether there were any.
bool cut_to(std::int64_t window, ScoredSequence& s) {
  const std::int64_t more = s.length() - window;
  if (more <= 0) return false;
  s.shown.erase(s.shown.begin(), s.shown.begin() + more);
  s.targets.erase(s.targets.begin(), s.targets.begin() + more);
  s.first_scored -= more;
  return true;
}

}  // namespace

std::vector<TaskItem> read_task(const std::string& path) {
  std::vector<TaskItem> items;
  each_json_line(path, [&](const json& line, std::int64_t number, const std::string& where) {
    items.push_back(item_of(line, number, where));
    if ((items.front().endings.size() == 1) != (items.back().endings.size() == 1))
      throw InputError(
          fmt::format("{}: found {} endings, but {} in line {}: expected one in every line or "
                      "more in every line",
                      where, items.back().endings.size(), items.front().endings.size(), items.front().line));
  });
  return items;
}

TaskSequences sequences_of(const std::vector<TaskItem>& items, const std::string& path,
                           const Tokenizer& tokenizer, std::int64_t window, std::int64_t rows) {
  TaskSequences all;
  const auto tokens_of = [&](const std::string& text) {
    std::vector<std::int32_t> tokens = tokenizer.encode(text);
    if (tokenizer.bos() >= 0 && (tokens.empty() || tokens.front() != tokenizer.bos()))
      tokens.insert(tokens.begin(), tokenizer.bos());
    return tokens;
  };
  for (const TaskItem& item : items) {
    const std::string where = fmt::format("{}: line {}", path, item.line);
    for (const std::string& text : item.endings) {
      const auto [context, ending] = joined(item.context, text);
      const std::vector<std::int32_t> both = tokens_of(context + ending);
      const auto before = std::int64_t(tokens_of(context).size());
      expect_rows(both, rows, where);
      if (before == 0)
        throw InputError(fmt::format(
            "{}: found an empty context, expected one: the tokenizer puts no bos before a text", where));
      if (before >= std::int64_t(both.size()))
        throw InputError(fmt::format(
            "{}: found the ending {} without a token of its own, expected a longer one", where, shown(text)));
      ScoredSequence s{{both.begin(), both.end() - 1}, {both.begin() + 1, both.end()}, before - 1};
      if (cut_to(window, s)) ++all.cut;
      if (s.first_scored < 0)
        throw InputError(fmt::format("{}: found an ending of {} tokens, expected at most the window of {}",
                                     where, std::int64_t(both.size()) - before, window));
      all.endings.push_back(std::move(s));
    }
  }
  return all;
}

TaskChoice choice_of(const TaskItem& item, std::span<const SequenceScore> scores) {
  TaskChoice best;
  const auto per_byte = [&](std::int64_t i) {
    return scores[std::size_t(i)].log_likelihood / double(item.endings[std::size_t(i)].size());
  };
  for (std::int64_t i = 1; i < std::int64_t(item.endings.size()); ++i) {
    if (scores[std::size_t(i)].log_likelihood > scores[std::size_t(best.by_likelihood)].log_likelihood)
      best.by_likelihood = i;
    if (per_byte(i) > per_byte(best.by_byte)) best.by_byte = i;
  }
  return best;
}

Accuracy accuracy_of(std::int64_t right, std::int64_t count) {
  const double p = double(right) / double(count);
  return {p, std::sqrt(p * (1 - p) / double(count - 1))};
}

}  // namespace wafermark::llama
