// The "pre_tokenizer" of a Hugging Face tokenizer.json: how a text is cut into the words inside which byte
// pairs are merged.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sparse_llama/model/split_pattern.hpp"

namespace wafermark::llama {

class PreTokenizer {
 public:
  /// ByteLevel, alone or at the end of a Sequence of Split and Digits. Throws InputError that names `file`
  /// for others.
  PreTokenizer(const nlohmann::json& pre_tokenizer, const std::string& file);

  /// Calls `visit` with each word, in order.
  void split(std::string_view text, const std::function<void(std::string_view)>& visit) const;

 private:
  struct Step {
    std::optional<SplitPattern> pattern;  ///< none: words stay whole
    bool blank_before = false;            ///< a word that does not begin with a blank gets one
  };
  Step read_step(const nlohmann::json& step, const std::string& file) const;
  void apply(std::size_t step, std::string_view text,
             const std::function<void(std::string_view)>& visit) const;

  std::vector<Step> steps_;
};

}  // namespace wafermark::llama
