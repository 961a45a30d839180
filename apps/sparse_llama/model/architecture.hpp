// The architectures whose forward pass is Llama's but for a few parts, and which parts these are.
#pragma once

#include <array>
#include <cstdint>

namespace wafermark::llama {

enum class Architecture { llama, mistral, qwen2, qwen3 };

/// One row an architecture: every place that must know one reads it here.
struct ArchitectureRow {
  const char* model_type;       ///< of config.json; GGUF's general.architecture (that of mistral is llama)
  const char* class_name;       ///< of config.json's "architectures"
  bool attention_biases;        ///< query, key and value are W x + b
  bool query_key_norms;         ///< each head of query and key goes through an RMSNorm before RoPE
  bool window_in_all_layers;    ///< "sliding_window" holds in all layers
  std::int64_t usual_head_dim;  ///< where config.json has none; 0: dim / heads
  std::int64_t usual_window;    ///< where config.json has no "sliding_window"; 0: none
};

/// From the modelling files of transformers (models/llama, mistral, qwen2, qwen3), in the order of
/// Architecture.
inline constexpr std::array<ArchitectureRow, 4> architecture_rows{
    {{"llama", "LlamaForCausalLM", false, false, false, 0, 0},
     {"mistral", "MistralForCausalLM", false, false, true, 0, 4096},
     {"qwen2", "Qwen2ForCausalLM", true, false, false, 0, 0},
     {"qwen3", "Qwen3ForCausalLM", false, true, false, 128, 0}}};

constexpr const ArchitectureRow& row_of(Architecture architecture) {
  return architecture_rows[std::size_t(architecture)];
}

}  // namespace wafermark::llama
