// The readers of the three kinds of tokenizer; read_tokenizer() chooses. All throw InputError for bad files.
#pragma once

#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {

/// A SentencePiece model, by that library.
std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::string& path);

/// Hugging Face tokenizer.json of byte-level BPE (Llama 3): byte pairs over the GPT-2 alphabet, words found
/// by the file's regular expressions, added tokens. bos and ends come from config.json,
/// generation_config.json and tokenizer_config.json beside it, or from the template in the file.
std::unique_ptr<Tokenizer> read_byte_level_tokenizer(const std::string& path);

/// llama2.c's tokNNN.bin: scored pieces with byte fallback and a blank before the text; bos 1, eos 2.
std::unique_ptr<Tokenizer> read_llama2c_tokenizer(const std::string& path);

}  // namespace wafermark::llama
