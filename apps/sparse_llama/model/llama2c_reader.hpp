// Reads checkpoints of llama2.c (*.bin): the first format (28 bytes of header) and version 1 (magic "ak42").
#pragma once

#include <string>

#include "sparse_llama/model/file_model.hpp"

namespace wafermark::llama {

/// fp32 weights; the rows of query and key lie as interleaved pairs. The format fixes norm_epsilon 1e-5 and
/// rope_theta 10000, as llama2.c does. Throws InputError: sizes that make no model, a file shorter or longer
/// than they say, an unknown version, a norm that is not a number.
FileModel open_llama2c(const std::string& path);

}  // namespace wafermark::llama
