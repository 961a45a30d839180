// Tokens that stand for a text as it is ("<s>", "<|im_end|>"), found before anything else cuts the text.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wafermark::llama {

struct AddedToken {
  std::string text;
  std::int32_t token = 0;
  bool special = false;       ///< not shown when decoded
  bool strips_left = false;   ///< takes the white space before it along
  bool strips_right = false;  ///< and that behind it
};

class AddedTokens {
 public:
  /// A text that is there already keeps its first token; an empty one is none.
  void add(AddedToken token);

  /// Cuts a text: `plain` gets each stretch between added tokens (none is empty), `token` each of those. At
  /// one place the longest wins.
  void split(std::string_view text, const std::function<void(std::string_view)>& plain,
             const std::function<void(std::int32_t)>& token) const;

  std::optional<std::int32_t> find(std::string_view text) const;
  /// What a token of these shows when it is decoded: nothing for special ones.
  std::optional<std::string> decoded(std::int32_t token) const;
  /// One more than the largest token; 0 without any.
  std::int64_t end() const;

 private:
  const AddedToken* at(std::string_view text) const;

  std::vector<AddedToken> tokens_;  // the longest first
  bool starts_[256] = {};           // bytes that they begin with
};

/// An entry of "added_tokens" in tokenizer.json or of "added_tokens_decoder" in tokenizer_config.json, whose
/// number stands apart. Throws InputError that names `key` in `file`: no text, no number, an option that is
/// not done here.
AddedToken added_token(const nlohmann::json& entry, const nlohmann::json& number, const std::string& file,
                       const std::string& key);

/// The tokens of added_tokens.json and tokenizer_config.json in `folder`, for vocabularies whose own file has
/// no place for them.
void add_tokens_beside(const std::string& folder, AddedTokens& tokens);

}  // namespace wafermark::llama
