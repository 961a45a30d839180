#include "sparse_llama/model/tensors.hpp"

#include <fmt/format.h>

#include <type_traits>

namespace wafermark::llama {

std::string tensor_name(Matrix matrix, std::int64_t layer) {
  if (matrix == Matrix::embedding) return "model.embed_tokens.weight";
  if (matrix == Matrix::head) return "lm_head.weight";
  constexpr const char* names[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                   "self_attn.o_proj", "mlp.gate_proj",    "mlp.up_proj",
                                   "mlp.down_proj"};
  return fmt::format("model.layers.{}.{}.weight", layer, names[int(matrix) - int(Matrix::query)]);
}

std::string tensor_name(Vector vector, std::int64_t layer) {
  constexpr const char* names[] = {"input_layernorm.weight", "post_attention_layernorm.weight",
                                   "self_attn.q_proj.bias",  "self_attn.k_proj.bias",
                                   "self_attn.v_proj.bias",  "self_attn.q_norm.weight",
                                   "self_attn.k_norm.weight"};
  if (vector == Vector::final_norm) return "model.norm.weight";
  return fmt::format("model.layers.{}.{}", layer, names[int(vector)]);
}

DenseWeights weights_without_values(const Configuration& c) {
  DenseWeights w;
  w.configuration = c;
  w.layers.resize(std::size_t(c.layers));
  each_place(c, [&](auto part, std::int64_t layer) {
    if constexpr (std::is_same_v<decltype(part), Matrix>) {
      DenseMatrix& m = tensor_of(w, part, layer);
      m.rows = shape_of(c, part).rows;
      m.columns = shape_of(c, part).columns;
    }
  });
  return w;
}

}  // namespace wafermark::llama
