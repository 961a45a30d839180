// config.json: what it may say about the architecture is read or refused, never dropped.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors.hpp"
#include "scratch_folder.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/rope_table.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json base() {
  return json::parse(R"({"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "intermediate_size": 96, "vocab_size": 100, "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5})");
}

Configuration with(const json& more) {
  json config = base();
  config.merge_patch(more);  // null takes a key away
  return configuration_of(config, "config.json");
}

std::string complaint(const std::string& key, const json& value) {
  try {
    with({{key, value}});
  } catch (const InputError& e) {
    return e.what();
  }
  return "none";
}

json llama3(double factor) {
  return {{"rope_type", "llama3"},
          {"factor", factor},
          {"low_freq_factor", 1.0},
          {"high_freq_factor", 4.0},
          {"original_max_position_embeddings", 64}};
}

TEST(ConfigurationFile, FillsInWhatMayBeMissing) {
  const Configuration c = with(json::object());
  EXPECT_EQ(c.kv_heads, 4);
  EXPECT_EQ(c.head_dim, 16);
  EXPECT_EQ(c.rope_theta, 10000);
  EXPECT_FALSE(c.tied_embeddings);
  EXPECT_EQ(c.rope_scaling, RopeScaling{});
  EXPECT_EQ(with({{"head_dim", 32}}).query_dim(), 128);
  EXPECT_EQ(with({{"rms_norm_eps", nullptr}}).norm_epsilon, 1e-6);
}

TEST(ConfigurationFile, ReadsRopeFromTheOlderAndTheNewerKeys) {
  const RopeScaling expected{8, 1, 4, 64, false};
  EXPECT_EQ(with({{"rope_scaling", llama3(8)}}).rope_scaling, expected);
  json newer = llama3(8);
  newer["rope_theta"] = 500000.0;
  EXPECT_EQ(with({{"rope_parameters", newer}}).rope_scaling, expected);
  EXPECT_EQ(with({{"rope_parameters", newer}}).rope_theta, 500000);
  EXPECT_EQ(with({{"rope_theta", 7.5e5}}).rope_theta, 7.5e5);
  const json plain{{"rope_type", "default"}, {"rope_theta", 2e4}};
  EXPECT_EQ(with({{"rope_parameters", plain}}).rope_scaling, RopeScaling{});
  EXPECT_EQ(with({{"rope_parameters", plain}}).rope_theta, 2e4);
  for (const char* type : {"type", "rope_type"}) {
    const json linear{{type, "linear"}, {"factor", 2.5}};
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
      const RopeScaling s = with({{key, linear}}).rope_scaling;
      EXPECT_TRUE(s.linear);
      EXPECT_EQ(s.factor, 2.5);
    }
  }
  EXPECT_EQ(with({{"rope_scaling", llama3(8)}, {"rope_parameters", newer}}).rope_scaling, expected);
}

TEST(ConfigurationFile, LinearScalingSlowsEveryPairByTheFactor) {
  const auto plain = rope_frequencies(with(json::object()));
  const auto slow = rope_frequencies(with({{"rope_scaling", {{"type", "linear"}, {"factor", 4}}}}));
  ASSERT_EQ(plain.size(), 8u);
  EXPECT_EQ(plain[0], 1);
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(slow[i], plain[i] / 4);
}

TEST(ConfigurationFile, WhatIsWrittenIsReadBack) {
  for (const json& scaling : {json(), llama3(8), json{{"type", "linear"}, {"factor", 3}}}) {
    const Configuration c = with({{"rope_scaling", scaling}, {"head_dim", 8}, {"num_key_value_heads", 2}});
    const Configuration back = configuration_of(json_of(c), "config.json");
    EXPECT_EQ(back.rope_scaling, c.rope_scaling);
    EXPECT_EQ(json_of(back), json_of(c));
  }
}

TEST(ConfigurationFile, RefusesByNameWhatWouldChangeTheArithmetic) {
  EXPECT_THAT(complaint("attention_bias", true),
              HasSubstr("config.json: attention_bias = true: expected false"));
  EXPECT_THAT(complaint("mlp_bias", true), HasSubstr("mlp_bias = true: expected false"));
  EXPECT_EQ(complaint("mlp_bias", false), "none");
  EXPECT_THAT(complaint("hidden_act", "gelu"), HasSubstr("hidden_act = \"gelu\": expected \"silu\""));
  for (const char* type : {"yarn", "dynamic", "longrope"})
    for (const char* key : {"rope_scaling", "rope_parameters"})
      EXPECT_THAT(
          complaint(key, {{"rope_type", type}, {"factor", 2}}),
          HasSubstr(fmt::format("{}.rope_type = \"{}\": expected default, linear or llama3", key, type)));
  EXPECT_THAT(complaint("rope_scaling", {{"type", "linear"}}), HasSubstr("found no 'rope_scaling.factor'"));
  EXPECT_THAT(complaint("rope_scaling", {{"factor", 2}}), HasSubstr("rope_scaling.type = null"));
  EXPECT_THAT(complaint("rope_scaling", 8), HasSubstr("rope_scaling = 8: expected null or an object"));
  EXPECT_THAT(complaint("rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}),
              HasSubstr("rope_parameters.partial_rotary_factor = 0.5: expected 1"));
  json odd = llama3(8);
  odd["high_freq_factor"] = 1.0;
  EXPECT_THAT(complaint("rope_scaling", odd), HasSubstr("high_freq_factor = 1.0: expected more than"));
  try {
    with({{"rope_scaling", llama3(8)}, {"rope_parameters", llama3(16)}});
    ADD_FAILURE() << "two different scalings";
  } catch (const InputError& e) {
    EXPECT_THAT(e.what(), HasSubstr("expected the same as rope_parameters"));
  }
}

TEST(ConfigurationFile, SaysWhichSizeMakesNoModel) {
  EXPECT_THAT(complaint("hidden_size", -64), HasSubstr("hidden_size = -64: expected an integer from 1 to"));
  EXPECT_THAT(complaint("hidden_size", 64.5), HasSubstr("hidden_size = 64.5: expected an integer"));
  EXPECT_THAT(complaint("hidden_size", nullptr), HasSubstr("found no 'hidden_size'"));
  EXPECT_THAT(complaint("hidden_size", 66), HasSubstr("expected a multiple of the 4 heads"));
  EXPECT_THAT(complaint("vocab_size", std::uint64_t(1) << 63), HasSubstr("vocab_size = 9223372036854775808"));
  EXPECT_THAT(complaint("num_hidden_layers", 5000), HasSubstr("from 1 to 4096"));
  EXPECT_THAT(complaint("num_key_value_heads", 3), HasSubstr("found 4 heads of 16 over 3 key/value heads"));
  EXPECT_THAT(complaint("head_dim", 15), HasSubstr("4 heads of 15"));
  EXPECT_THAT(complaint("head_dim", 1 << 23), HasSubstr("heads times head size"));
  EXPECT_THAT(complaint("tie_word_embeddings", "yes"), HasSubstr("expected true or false"));
  EXPECT_THAT(complaint("rms_norm_eps", "small"), HasSubstr("rms_norm_eps = \"small\""));
}

TEST(ConfigurationFile, NamesWeightsThatAreNoPlainNumbers) {
  const auto quantised = [&](const json& config) { return complaint("quantization_config", config); };
  for (const char* method : {"gptq", "awq", "bitsandbytes", "fp8", "hqq"})
    EXPECT_THAT(
        quantised({{"quant_method", method}, {"bits", 4}}),
        HasSubstr(fmt::format(
            "config.json: quantization_config.quant_method = \"{}\": expected weights as plain numbers",
            method)));
  const json sparse{{"quant_method", "compressed-tensors"},
                    {"format", "dense"},
                    {"sparsity_config", {{"format", "sparse-bitmask"}}}};
  EXPECT_EQ(quantised(sparse), "none");
  json packed = sparse;
  packed["format"] = "pack-quantized";
  EXPECT_THAT(quantised(packed), HasSubstr("quantization_config.format = \"pack-quantized\""));
  packed = sparse;
  packed["sparsity_config"]["format"] = "sparse-other";
  EXPECT_THAT(quantised(packed), HasSubstr("quantization_config.sparsity_config.format = \"sparse-other\""));
  packed = sparse;
  packed["config_groups"] = {{"group_0", {{"weights", {{"num_bits", 8}}}}}};
  EXPECT_THAT(quantised(packed), HasSubstr("config_groups"));
}

TEST(ConfigurationFile, ReadsTheArchitecturesCloseToLlama) {
  const Configuration mistral = with({{"model_type", "mistral"}, {"sliding_window", 24}, {"head_dim", 32}}),
                      usual = with({{"model_type", "mistral"}}),
                      qwen2 = with({{"model_type", "qwen2"},
                                    {"sliding_window", 32768},
                                    {"use_sliding_window", false}}),
                      qwen3 = with({{"model_type", nullptr}, {"architectures", {"Qwen3ForCausalLM"}}});
  EXPECT_EQ(mistral.sliding_window, 24);
  EXPECT_EQ(mistral.head_dim, 32);
  EXPECT_EQ(mistral.first_seen(23), 0);
  EXPECT_EQ(mistral.first_seen(24), 1);
  EXPECT_EQ(usual.sliding_window, 4096);  // what transformers takes where the key is missing
  EXPECT_TRUE(qwen2.has_biases() && !qwen2.has_head_norms() && qwen2.sliding_window == 0);
  EXPECT_TRUE(!qwen3.has_biases() && qwen3.has_head_norms());
  EXPECT_EQ(qwen3.head_dim, 128);
  json none = base();
  none["model_type"] = "mistral", none["sliding_window"] = nullptr;
  EXPECT_EQ(configuration_of(none, "config.json").sliding_window, 0);
  for (const Configuration& c : {mistral, usual, qwen2, qwen3, configuration_of(none, "config.json")}) {
    const Configuration back = configuration_of(json_of(c), "config.json");
    EXPECT_EQ(back.architecture, c.architecture);
    EXPECT_EQ(back.sliding_window, c.sliding_window);
    EXPECT_EQ(json_of(back), json_of(c));
  }
}

TEST(ConfigurationFile, RefusesWhatOtherArchitecturesMayHave) {
  const auto refused = [](const json& more) -> std::string {
    try {
      with(more);
    } catch (const InputError& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_THAT(refused({{"model_type", "qwen2"}, {"use_sliding_window", true}}),
              HasSubstr("use_sliding_window = true: expected false"));
  EXPECT_THAT(
      refused({{"model_type", "qwen3"}, {"layer_types", {"full_attention", "sliding_attention"}}}),
      HasSubstr("layer_types = [\"full_attention\",\"sliding_attention\"]: expected \"full_attention\""));
  EXPECT_THAT(refused({{"model_type", "qwen3"}, {"layer_types", {"full_attention"}}}),
              HasSubstr("layer_types"));
  EXPECT_EQ(refused({{"model_type", "qwen3"}, {"layer_types", {"full_attention", "full_attention"}}}),
            "none");
  EXPECT_THAT(refused({{"model_type", "qwen3"}, {"attention_bias", true}}),
              HasSubstr("attention_bias = true"));
  EXPECT_THAT(refused({{"model_type", "qwen2"}, {"architectures", {"LlamaForCausalLM"}}}),
              HasSubstr("expected Qwen2ForCausalLM"));
  for (const json& window : {json(0), json(-4), json(2.5), json("all"), json(true)})
    EXPECT_THAT(refused({{"model_type", "mistral"}, {"sliding_window", window}}),
                HasSubstr("sliding_window = "));
  for (const char* type : {"mixtral", "qwen2_moe", "qwen3_moe", "gemma2", "phi3", "Llama", ""})
    EXPECT_THAT(refused({{"model_type", type}}), HasSubstr("expected one of llama, mistral, qwen2, qwen3"));
  EXPECT_THAT(refused({{"model_type", 7}}), HasSubstr("model_type = 7"));
  EXPECT_THAT(refused({{"model_type", nullptr}, {"architectures", {"GPT2LMHeadModel"}}}),
              HasSubstr("expected one of LlamaForCausalLM, MistralForCausalLM"));
}

TEST(ConfigurationFile, NamesModelsThatAreNoLlama) {
  EXPECT_THAT(complaint("architectures", {"LlamaForSequenceClassification"}),
              HasSubstr("expected LlamaForCausalLM"));
  EXPECT_EQ(complaint("architectures", {"LlamaForCausalLM"}), "none");
  EXPECT_THAT(complaint("sliding_window", 4096), HasSubstr("sliding_window = 4096"));
  for (const char* type : {"yarn", "dynamic", "longrope"})
    EXPECT_THAT(complaint("rope_scaling", {{"rope_type", type}, {"factor", 2}}), HasSubstr(type));
}

TEST(ConfigurationFile, AModelMadeOutOfAnotherKeepsItsKeys) {
  const ScratchFolder folder;
  json config = base();
  config["eos_token_id"] = {1, 2};
  config["my_key"] = {{"a", 1}};
  config["dtype"] = "float16";
  config["quantization_config"] = {{"quant_method", "compressed-tensors"}};
  config["rope_parameters"] = llama3(8);
  folder.write("config.json", config.dump());
  Configuration c = read_configuration(folder.path("config.json"));
  c.context = 128;
  const json made = config_of(c, folder.path(), "bfloat16");
  EXPECT_EQ(made["my_key"], config["my_key"]);
  EXPECT_EQ(made["eos_token_id"], config["eos_token_id"]);
  EXPECT_EQ(made["max_position_embeddings"], 128);
  EXPECT_EQ(made["torch_dtype"], "bfloat16");
  EXPECT_FALSE(made.contains("quantization_config") || made.contains("dtype"));
  EXPECT_EQ(configuration_of(made, "config.json").rope_scaling, c.rope_scaling);
}

TEST(JsonText, RefusesWhatIsNoJson) {
  const auto refusal = [](const std::string& text) -> std::string {
    try {
      parse_json(text, "file");
    } catch (const InputError& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal(R"({"a": [1, {"a": 2}], "b": {"a": 3}})"), "none");
  EXPECT_EQ(refusal(R"({"a": 1, "b": {"c": 1, "c": 2}})"),
            "file: found the key \"c\" twice, expected it once");
  EXPECT_EQ(refusal("{\"a\": 1"), "file: found text that is not JSON at byte 8, expected JSON");
  EXPECT_THAT(refusal(""), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("[1e999]"), HasSubstr("out of range"));
  EXPECT_THAT(refusal(R"({"a": NaN})"), HasSubstr("found NaN at byte"));
  EXPECT_THAT(refusal(R"({"a": -Infinity, "b": 1})"), HasSubstr("found Infinity at byte"));
  EXPECT_THAT(refusal(std::string("\"\xff\"")), HasSubstr("not JSON"));
  EXPECT_EQ(refusal(std::string(32, '[') + std::string(32, ']')), "none");
  for (const char* open : {"[", "{\"a\":"}) {
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += open;
    EXPECT_THAT(refusal(deep), HasSubstr("nested more than 32 deep"));
  }
}

}  // namespace
}  // namespace wafermark::llama
