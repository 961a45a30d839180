// What both kinds of tokenizer.json share: the pieces of a BPE model, tokens that were added to them, and a
// token for each byte.
#pragma once

#include <functional>
#include <unordered_map>

#include "sparse_llama/model/bpe_model.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {

class BpeTokenizer : public Tokenizer {
 public:
  std::string decode(std::int32_t token) const override;
  std::int64_t vocabulary() const override;
  std::int64_t learnt_vocabulary() const override { return model_.end(); }

 protected:
  /// How the pieces are written: the one of a byte, and the bytes that one decodes to.
  struct Writing {
    std::function<std::string(unsigned char byte)> piece_of;
    std::function<std::string(const std::string& piece)> bytes_of;
  };
  /// `file`: the whole tokenizer.json, at `path`. Throws InputError, also when a byte has no piece.
  BpeTokenizer(const std::string& path, const nlohmann::json& file, const Writing& writing);

  const BpeModel& model() const { return model_; }
  const AddedTokens& added() const { return added_; }
  void push_bytes(std::string_view text, std::vector<std::int32_t>& tokens) const {
    for (const char byte : text) tokens.push_back(byte_tokens_[static_cast<unsigned char>(byte)]);
  }

 private:
  BpeModel model_;
  AddedTokens added_;
  std::int32_t byte_tokens_[256] = {};
  std::unordered_map<std::int32_t, std::string> bytes_;  // what each token decodes to
};

}  // namespace wafermark::llama
