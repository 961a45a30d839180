// Models and tokenizers: config.json, safetensors, llama2.c checkpoints; tokenizer.json, SentencePiece,
// tokenizer.bin.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "gguf_text.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/tensors.hpp"
#include "sparse_llama/model/tokenizer.hpp"
#include "tests/fuzz/small_llama.hpp"
#include "tests/fuzz/target.hpp"

namespace wafermark::fuzz {
namespace {

using namespace llama;
using nlohmann::json;
using Seeds = std::vector<std::string>;

std::string config_json() { return json_of(small_llama()).dump(1); }

std::string safetensors() {
  const DenseWeights weights = weights_without_values(small_llama());
  json header = json::object();
  std::size_t place = 0;
  const auto add = [&](const std::string& name, const json& shape, std::size_t elements) {
    header[name] = {{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {place, place + 2 * elements}}};
    place += 2 * elements;
  };
  each_tensor(weights, [&](const std::string& name, const auto& tensor) {
    if constexpr (requires { tensor.rows; })
      add(name, {tensor.rows, tensor.columns}, std::size_t(tensor.rows * tensor.columns));
    else
      add(name, {small_llama().dim}, std::size_t(small_llama().dim));
  });
  const std::string text = header.dump();
  std::string file(8, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(file.data(), &length, sizeof length);
  return file + text + std::string(place, '\0');
}

/// Norms in F32, matrices in Q8_0.
std::string gguf_file() {
  Configuration c = small_llama();
  c.dim = c.hidden = c.head_dim = 32;
  DenseWeights weights = weights_without_values(c);
  each_tensor(weights, [&](const std::string&, auto& tensor) {
    if constexpr (requires { tensor.rows; })
      tensor.values.assign(std::size_t(tensor.rows * tensor.columns), 0.5f);
    else
      tensor.assign(std::size_t(c.dim), 1.0f);
  });
  return gguf::model(weights, {8, gguf::as_q8_0}).text();
}

/// Of the first format: seven sizes, then fp32 values, the tables of RoPE at the end.
std::string llama2c() {
  const std::int32_t dim = 8, hidden = 8, layers = 1, heads = 2, kv_heads = 1, vocabulary = 12, context = 4;
  const std::int32_t sizes[] = {dim, hidden, layers, heads, kv_heads, vocabulary, context};
  const int kv_dim = dim / heads * kv_heads;
  const int values = vocabulary * dim +
                     layers * (2 * dim + 2 * dim * dim + 2 * dim * kv_dim + 3 * dim * hidden) + dim +
                     context * (dim / heads);
  std::string file(reinterpret_cast<const char*>(sizes), sizeof sizes);
  return file + std::string(std::size_t(values) * 4, '\0');
}

/// All bytes as GPT-2 writes them, and one merge.
std::string tokenizer_json() {
  json vocabulary = json::object();
  const auto printable = [](int b) { return (b > 32 && b < 127) || (b > 160 && b != 173); };
  int token = 0, shifted = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const int code = printable(byte) ? byte : shifted++;
    const std::string text = code < 128 ? std::string(1, char(code))
                                        : std::string{char(0xc0 | (code >> 6)), char(0x80 | (code & 0x3f))};
    vocabulary[text] = token++;
  }
  vocabulary["th"] = token++;
  const json level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  return json{
      {"version", "1.0"},
      {"added_tokens", {{{"id", token}, {"content", "<s>"}, {"special", true}, {"normalized", false}}}},
      {"normalizer", nullptr},
      {"pre_tokenizer", level},
      {"post_processor", nullptr},
      {"decoder", level},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", {"t h"}}}}}
      .dump();
}

std::string tokenizer_bin() {
  const std::int32_t longest = 8;
  std::string file(reinterpret_cast<const char*>(&longest), sizeof longest);
  for (const std::string piece : {"<unk>", "<s>", "</s>", "<0x0A>", " ", "t", "h", "th"}) {
    const float score = -1;
    const auto length = std::int32_t(piece.size());
    file.append(reinterpret_cast<const char*>(&score), 4).append(reinterpret_cast<const char*>(&length), 4) +=
        piece;
  }
  return file;
}

/// Reads it, and uses what was read: on text of all kinds of bytes.
void use_tokenizer(const Communicator&, const std::string& path) {
  const auto tokenizer = read_tokenizer(path);
  const auto tokens = tokenizer->encode("the \xc3\xa9\xff <s> th\n");
  decode_text(*tokenizer, tokens);
  for (const std::int32_t token : {-1, 0, 5, 300, 1 << 30}) tokenizer->decode(token);
}

/// The input beside a config.json that fits its seed.
void read_weights(const Communicator&, const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!std::filesystem::exists(folder + "/config.json"))
    std::ofstream(folder + "/config.json") << config_json();
  read_model(folder);
}

Register seeded(const char* name, const char* file, void (*read)(const Communicator&, const std::string&),
                std::string (*seed)()) {
  return Register(
      {name, file, read, [seed](const Communicator&, const std::string&) { return Seeds{seed()}; }});
}

const Register all[] = {
    seeded(
        "config_json", "config.json",
        [](const Communicator&, const std::string& path) { read_configuration(path); }, config_json),
    seeded("safetensors", "model.safetensors", read_weights, safetensors),
    seeded(
        "gguf", "model.gguf", [](const Communicator&, const std::string& path) { read_model(path); },
        gguf_file),
    seeded(
        "llama2c", "model.bin", [](const Communicator&, const std::string& path) { read_model(path); },
        llama2c),
    seeded("tokenizer_json", "tokenizer.json", use_tokenizer, tokenizer_json),
    seeded("tokenizer_bin", "tokenizer.bin", use_tokenizer, tokenizer_bin),
    seeded(
        "sentencepiece", "tokenizer.model", use_tokenizer,
        [] { return bytes_of(std::string(WAFERMARK_SOURCE_DIR) + "/inputs/llama/dense/tokenizer.model"); }),
};

}  // namespace
}  // namespace wafermark::fuzz
