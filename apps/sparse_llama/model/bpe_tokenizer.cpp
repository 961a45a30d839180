#include "sparse_llama/model/bpe_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"

namespace wafermark::llama {

BpeTokenizer::BpeTokenizer(const std::string& path, const nlohmann::json& file, const Writing& writing)
    : Tokenizer(path, "tokenizer.json"), model_(file, path), added_(read_added_tokens(file, path)) {
  for (const auto& [piece, token] : model_.pieces()) bytes_.emplace(token, writing.bytes_of(piece));
  for (int byte = 0; byte < 256; ++byte) {
    const std::string piece = writing.piece_of(static_cast<unsigned char>(byte));
    const auto found = model_.find(piece);
    if (!found)
      throw InputError(fmt::format(
          "{}: found no piece {} for the byte 0x{:02x} in model.vocab, expected all 256", path, piece, byte));
    byte_tokens_[std::size_t(byte)] = *found;
    bytes_.insert_or_assign(*found, std::string(1, char(byte)));
  }
  const OwnTokens own{file, -1, -1, vocabulary(), [this](const std::string& text) {
                        const auto token = added_.find(text);
                        return token ? token : model_.find(text);
                      }};
  use(read_special_tokens(std::filesystem::path(path).parent_path().string(), own));
}

std::string BpeTokenizer::decode(std::int32_t token) const {
  if (const auto text = added_.decoded(token)) return *text;
  const auto found = bytes_.find(token);
  return found == bytes_.end() ? "" : found->second;
}

std::int64_t BpeTokenizer::vocabulary() const { return std::max(model_.end(), added_.end()); }

}  // namespace wafermark::llama
