#include "sparse_llama/model/bpe_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "common/errors.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

std::uint64_t pair_of(std::int32_t left, std::int32_t right) {
  return std::uint64_t(std::uint32_t(left)) << 32 | std::uint32_t(right);
}

}  // namespace

void BpeModel::fail(const std::string& key, const json& value, const std::string& expected) const {
  throw InputError(fmt::format("{}: {} = {}: expected {}", path_, key, shown(value), expected));
}

BpeModel::BpeModel(const json& file, const std::string& path) : path_(path) {
  const json model = member(file, "model");
  if (!model.is_object())
    throw InputError(fmt::format("{}: found no object 'model', expected a Hugging Face tokenizer", path));
  const json type = member(model, "type");
  if (!type.is_null() && type != "BPE") fail("model.type", type, "\"BPE\"");
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const json value = member(model, affix); !value.is_null() && value != "")
      fail(fmt::format("model.{}", affix), value, "null");
  if (const json dropout = member(model, "dropout"); !dropout.is_null() && dropout != 0)
    fail("model.dropout", dropout, "null");
  read_pieces(member(model, "vocab"));
  read_merges(member(model, "merges"));
}

std::optional<std::int32_t> BpeModel::find(const std::string& piece) const {
  const auto found = pieces_.find(piece);
  return found == pieces_.end() ? std::nullopt : std::optional(found->second);
}

void BpeModel::merge(std::vector<std::int32_t>& tokens) const {
  merge_pairs(tokens, [&](std::int32_t left, std::int32_t right) -> std::optional<Merge> {
    const auto found = merges_.find(pair_of(left, right));
    return found == merges_.end() ? std::nullopt : std::optional(found->second);
  });
}

void BpeModel::read_pieces(const json& vocab) {
  if (!vocab.is_object() || vocab.empty()) fail("model.vocab", vocab, "the number of each piece");
  constexpr std::int64_t most = 1 << 24;
  std::unordered_set<std::int32_t> numbers;
  for (const auto& [piece, number] : vocab.items()) {
    const std::string key = "model.vocab " + shown(json(piece));
    if (!number.is_number_integer() || !(number.get<double>() >= 0 && number.get<double>() < double(most)))
      fail(key, number, fmt::format("an integer from 0 to {}", most - 1));
    const auto token = number.get<std::int32_t>();
    if (!numbers.insert(token).second) fail(key, number, "a number that no other piece has");
    pieces_.emplace(piece, token);
    end_ = std::max<std::int64_t>(end_, token + 1);
  }
}

/// Pairs, as "a b" or ["a", "b"], the earliest first.
void BpeModel::read_merges(const json& merges) {
  if (!merges.is_array()) fail("model.merges", merges, "a list");
  for (std::size_t order = 0; order < merges.size(); ++order) {
    const json& merge = merges[order];
    const std::string key = fmt::format("model.merges[{}]", order);
    std::string left, right;
    if (merge.is_string()) {
      const auto& both = merge.get_ref<const std::string&>();
      const std::size_t blank = both.find(' ');
      if (blank == std::string::npos || both.find(' ', blank + 1) != std::string::npos)
        fail(key, merge, "two pieces with a blank between");
      left = both.substr(0, blank), right = both.substr(blank + 1);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      left = merge[0], right = merge[1];
    } else {
      fail(key, merge, "a pair of pieces");
    }
    const auto number = [&](const std::string& piece) {
      const auto token = find(piece);
      if (!token) fail(key, merge, fmt::format("{} in model.vocab", shown(json(piece))));
      return *token;
    };
    const std::uint64_t pair = pair_of(number(left), number(right));
    merges_.insert_or_assign(pair, Merge{double(order), number(left + right)});
  }
}

AddedTokens read_added_tokens(const json& file, const std::string& path) {
  const json list = member(file, "added_tokens");
  AddedTokens tokens;
  if (!list.is_null() && !list.is_array())
    throw InputError(fmt::format("{}: added_tokens = {}: expected a list", path, shown(list)));
  for (const json& entry : list) tokens.add(added_token(entry, member(entry, "id"), path, "added_tokens"));
  return tokens;
}

}  // namespace wafermark::llama
