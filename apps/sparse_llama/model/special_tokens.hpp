// Which tokens begin and end a text, as a Hugging Face folder says it in several files.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace wafermark::llama {

struct SpecialTokens {
  std::int32_t bos = -1;           ///< goes before a text; -1: none does
  std::int32_t behind = -1;        ///< goes behind a prompt (add_eos_token); -1: none does
  std::vector<std::int32_t> ends;  ///< end a text that a model makes
};

/// What the vocabulary's own file says.
struct OwnTokens {
  nlohmann::json tokenizer;  ///< content of tokenizer.json, else null
  std::int32_t bos = -1, eos = -1;
  std::int64_t vocabulary = 0;
  std::function<std::optional<std::int32_t>(const std::string&)> find;  ///< the number of a token's text
};

/// The rules of Hugging Face's tokenizers. Whether bos and eos are put around a text: `add_bos_token` and
/// `add_eos_token` of tokenizer_config.json, else the template in tokenizer.json's post-processor, else (no
/// template) bos is for tokenizers of Llama, eos is not. Which bos: the template's, else the one that
/// tokenizer_config.json or special_tokens_map.json names, else the number in config.json, else the
/// vocabulary's own. Ends: end_tokens_of(folder), else the eos that a name or the vocabulary gives. Throws
/// InputError for what is not in the vocabulary.
SpecialTokens read_special_tokens(const std::string& folder, const OwnTokens& own);

/// `eos_token_id` (a number or a list) of generation_config.json, else of config.json; empty when the folder
/// has none. Negative numbers mean none. Throws InputError for what is no number.
std::vector<std::int32_t> end_tokens_of(const std::string& folder);

}  // namespace wafermark::llama
