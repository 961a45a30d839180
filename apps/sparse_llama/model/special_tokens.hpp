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
  std::int32_t bos = -1;  ///< -1: none is named
  std::vector<std::int32_t> ends;
};

/// bos: config.json's number, else tokenizer_config.json's name, else the first token of the template in
/// `tokenizer` (the content of tokenizer.json). Ends: all that config.json, generation_config.json and
/// tokenizer_config.json name. `find` gives the number of a token's text. Throws InputError for tokens that
/// are not in the vocabulary.
SpecialTokens read_special_tokens(const std::string& folder, const nlohmann::json& tokenizer,
                                  std::int64_t vocabulary,
                                  const std::function<std::optional<std::int32_t>(const std::string&)>& find);

}  // namespace wafermark::llama
