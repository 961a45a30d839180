// The model that seeds are made of: as few weights as there can be.
#pragma once

#include "sparse_llama/model/configuration.hpp"

namespace wafermark::fuzz {

inline llama::Configuration small_llama() {
  llama::Configuration c;
  c.dim = 8, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_dim = 4;
  c.hidden = 8, c.vocabulary = 12, c.context = 16, c.tied_embeddings = true;
  return c;
}

}  // namespace wafermark::fuzz
