// A text as a model is asked about it: tokens to predict, and what it is shown before each. A window that
// begins in the middle of a text begins with bos; where the tokenizer has none, with the token that stands
// before it, so the text's first token is shown and never predicted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/errors.hpp"

namespace wafermark::llama {

class PredictedText {
 public:
  /// `bos` -1: none. Throws InputError when the text has nothing to predict.
  PredictedText(std::span<const std::int32_t> text, std::int32_t bos)
      : text_(text), bos_(bos), targets_(bos >= 0 || text.empty() ? text : text.subspan(1)) {
    if (targets_.empty()) throw InputError("text: found no token to predict, expected a longer text");
  }

  std::span<const std::int32_t> targets() const { return targets_; }
  std::int64_t size() const { return std::int64_t(targets_.size()); }

  /// What is shown before target `i`, in a window whose first target is `first`.
  std::int32_t before(std::int64_t i, std::int64_t first) const {
    if (bos_ < 0) return text_[std::size_t(i)];
    return i == first ? bos_ : text_[std::size_t(i - 1)];
  }

 private:
  std::span<const std::int32_t> text_;
  std::int32_t bos_;
  std::span<const std::int32_t> targets_;
};

}  // namespace wafermark::llama
