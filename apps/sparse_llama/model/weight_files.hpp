// Which files of a Hugging Face folder hold its weights, and which kinds of file are not read.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace wafermark::llama {

/// The safetensors files of a folder: those that model.safetensors.index.json names; without an index
/// model.safetensors; without that the parts model-0000I-of-0000N.safetensors, all N of them; without parts
/// the only *.safetensors. Throws InputError that names what is there instead: parts that are missing,
/// several files without a rule, an adapter, files of other kinds (pickles, GGUF) with what to do.
std::set<std::string> weight_files_of(const std::string& folder);

/// A line for the user that names the weight files which that rule passes over; "" when there are none.
std::string note_on_other_weights(const std::string& folder);

/// The line for a file that holds a model and is not read (a pickle, GGUF, ...), by what it begins with; ""
/// when its bytes are of no such kind.
std::string foreign_kind(std::string_view bytes);

}  // namespace wafermark::llama
