// The readers of the four kinds of tokenizer; read_tokenizer() chooses. All throw InputError for bad files.
#pragma once

#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {

/// A SentencePiece model, by that library.
std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::string& path);

/// Hugging Face tokenizer.json (`file`, at `path`) of byte-level BPE (Llama 3): byte pairs over the GPT-2
/// alphabet, words found by the file's regular expressions, added tokens. What begins and ends texts:
/// read_special_tokens().
std::unique_ptr<Tokenizer> read_byte_level_tokenizer(const std::string& path, const nlohmann::json& file);

/// The same of BPE over characters with byte fallback and U+2581 for blanks (Llama 2, Mistral), as converted
/// from SentencePiece.
std::unique_ptr<Tokenizer> read_marked_blank_tokenizer(const std::string& path, const nlohmann::json& file);

/// llama2.c's tokNNN.bin: scored pieces with byte fallback and a blank before the text; bos 1, eos 2.
std::unique_ptr<Tokenizer> read_llama2c_tokenizer(const std::string& path);

}  // namespace wafermark::llama
