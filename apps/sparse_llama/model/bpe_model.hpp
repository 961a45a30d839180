// The "model" of a Hugging Face tokenizer.json of type BPE: pieces with their numbers, and merges.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sparse_llama/model/added_tokens.hpp"
#include "sparse_llama/model/byte_pair_merging.hpp"

namespace wafermark::llama {

class BpeModel {
 public:
  /// `file` is the whole tokenizer.json, `path` names it in messages. Throws InputError: another type of
  /// model, pieces without or with equal numbers, merges of pieces that are none, options that would change
  /// tokens and are not done here.
  BpeModel(const nlohmann::json& file, const std::string& path);

  std::optional<std::int32_t> find(const std::string& piece) const;
  const std::unordered_map<std::string, std::int32_t>& pieces() const { return pieces_; }
  /// One more than the largest number.
  std::int64_t end() const { return end_; }
  /// Merges neighbours in place until no pair is left that has a piece.
  void merge(std::vector<std::int32_t>& tokens) const;

 private:
  void read_pieces(const nlohmann::json& vocab);
  void read_merges(const nlohmann::json& merges);
  [[noreturn]] void fail(const std::string& key, const nlohmann::json& value,
                         const std::string& expected) const;

  std::string path_;
  std::unordered_map<std::string, std::int32_t> pieces_;
  std::unordered_map<std::uint64_t, Merge> merges_;
  std::int64_t end_ = 0;
};

/// "added_tokens" of a tokenizer.json.
AddedTokens read_added_tokens(const nlohmann::json& file, const std::string& path);

}  // namespace wafermark::llama
