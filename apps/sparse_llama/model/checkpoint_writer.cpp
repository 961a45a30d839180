#include "sparse_llama/model/checkpoint_writer.hpp"

#include <bit>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/results/result.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

nlohmann::json config_of(const Configuration& c, StoredType type) {
  nlohmann::json config{{"architectures", {"LlamaForCausalLM"}},
                        {"model_type", "llama"},
                        {"hidden_act", "silu"},
                        {"hidden_size", c.dim},
                        {"num_hidden_layers", c.layers},
                        {"num_attention_heads", c.heads},
                        {"num_key_value_heads", c.kv_heads},
                        {"head_dim", c.head_dim},
                        {"intermediate_size", c.hidden},
                        {"vocab_size", c.vocabulary},
                        {"max_position_embeddings", c.context},
                        {"rms_norm_eps", c.norm_epsilon},
                        {"rope_theta", c.rope_theta},
                        {"tie_word_embeddings", c.tied_embeddings},
                        {"bos_token_id", 1},
                        {"eos_token_id", 2},
                        {"torch_dtype", type == StoredType::bf16 ? "bfloat16" : "float32"}};
  if (c.rope_scaling.factor != 1)
    config["rope_scaling"] = {{"rope_type", "llama3"},
                              {"factor", c.rope_scaling.factor},
                              {"low_freq_factor", c.rope_scaling.low_frequency_factor},
                              {"high_freq_factor", c.rope_scaling.high_frequency_factor},
                              {"original_max_position_embeddings", c.rope_scaling.original_context}};
  return config;
}

std::uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::uint16_t((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// The body of a safetensors file and its header, tensor by tensor.
class SafetensorsText {
 public:
  explicit SafetensorsText(StoredType type) : type_(type) { header_["__metadata__"] = {{"format", "pt"}}; }

  void add(const std::string& name, const std::vector<std::int64_t>& shape,
           const std::vector<float>& values) {
    const std::size_t first = body_.size();
    for (const float value : values) {
      if (type_ == StoredType::bf16)
        append(bf16_of(value));
      else
        append(value);
    }
    header_[name] = {{"dtype", type_ == StoredType::bf16 ? "BF16" : "F32"},
                     {"shape", shape},
                     {"data_offsets", {first, body_.size()}}};
  }
  void add(const std::string& name, const DenseMatrix& m) { add(name, {m.rows, m.columns}, m.values); }
  void add(const std::string& name, const std::vector<float>& v) { add(name, {std::int64_t(v.size())}, v); }

  std::string text() const {
    std::string header = header_.dump();
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const auto length = std::uint64_t(header.size());
    std::string text(sizeof length, '\0');
    std::memcpy(text.data(), &length, sizeof length);  // little-endian, as all machines we build for
    return text + header + body_;
  }

 private:
  template <class T>
  void append(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    body_.append(bytes, sizeof value);
  }
  StoredType type_;
  nlohmann::json header_;
  std::string body_;
};

}  // namespace

void write_checkpoint_folder(const std::string& folder, const DenseWeights& w, StoredType type) {
  SafetensorsText file(type);
  each_tensor(w, [&](const std::string& name, const auto& tensor) { file.add(name, tensor); });
  std::filesystem::create_directories(folder);
  write_text_file(folder + "/config.json", config_of(w.configuration, type).dump(2) + "\n");
  write_text_file(folder + "/model.safetensors", file.text());
}

}  // namespace wafermark::llama
