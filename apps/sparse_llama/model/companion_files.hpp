// What makes a folder of weights a whole model: the tokenizer, its settings, how generation ends. Commands
// that make a new model out of one carry these files along under their own names.
#pragma once

#include <string>
#include <vector>

namespace wafermark::llama {

struct Companions {
  std::vector<std::string> paths;  ///< files to copy
  bool tokenizer = false;          ///< there is one among them
};

/// The companions of the model in `folder` ("": none). `tokenizer`, a file or a folder, goes before the
/// folder's own tokenizer ("": keep that). Throws InputError when it is no tokenizer.
Companions companions_of(const std::string& folder, const std::string& tokenizer);

/// Whether a file of this name is one.
bool is_companion(const std::string& name);

/// Copies them into `folder`, each under a temporary name, then renamed. Throws InputError for files that
/// cannot be read, std::runtime_error when the disk is full. Call on one rank.
void copy_companions(const Companions& companions, const std::string& folder);

/// One line for the user of a command that made `folder` out of `model`, which has no tokenizer.
std::string note_without_tokenizer(const std::string& model, const std::string& folder);

}  // namespace wafermark::llama
