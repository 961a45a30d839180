// A byte-pair tokenizer learnt from a text, by the SentencePiece trainer.
#pragma once

#include <cstdint>
#include <string>

namespace wafermark::llama {

/// Writes `model_path` (a SentencePiece model: unk 0, bos 1, eos 2, then pieces). Line ends are a piece of
/// their own; text is taken as it is, without normalising or a leading blank, so that lines tokenise alike
/// wherever they stand. Throws InputError when the text cannot be read or is too small for so many pieces.
void train_bpe(const std::string& text_path, std::int64_t vocabulary, const std::string& model_path);

}  // namespace wafermark::llama
