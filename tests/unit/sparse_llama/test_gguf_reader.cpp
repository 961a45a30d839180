// GGUF: the weights of every type are what was put in, and damaged files give one line.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/errors.hpp"
#include "gguf_text.hpp"
#include "reference_model.hpp"
#include "scratch_folder.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/number_types.hpp"
#include "sparse_llama/model/rope_table.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

using ::testing::HasSubstr;

Configuration of_blocks(bool tied) {
  Configuration c;
  c.dim = 64, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 16, c.hidden = 96;
  c.vocabulary = 33, c.context = 128, c.norm_epsilon = 1e-6, c.rope_theta = 20000, c.tied_embeddings = tied;
  return c;
}

std::string complaint_about(const ScratchFolder& folder, const std::string& bytes) {
  try {
    read_model(folder.write("model.gguf", bytes));
  } catch (const InputError& e) {
    return e.what();
  }
  return "none";
}

/// Of its largest weight: by how much a matrix that was stored differs.
void expect_near(const DenseWeights& found, const DenseWeights& put, double tolerance) {
  each_tensor(put, [&](const std::string& name, const auto& tensor) {
    if constexpr (requires { tensor.rows; }) {
      const DenseMatrix* other = nullptr;
      each_tensor(found, [&](const std::string& n, const auto& t) {
        if constexpr (requires { t.rows; })
          if (n == name) other = &t;
      });
      ASSERT_NE(other, nullptr);
      ASSERT_EQ(other->values.size(), tensor.values.size());
      double most = 0, differs = 0;
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        most = std::max(most, std::abs(double(tensor.values[i])));
        differs = std::max(differs, std::abs(double(tensor.values[i]) - double(other->values[i])));
      }
      EXPECT_LE(differs, tolerance * most) << name;
    }
  });
}

TEST(GgufReader, ReadsEveryTypeOfNumber) {
  const ScratchFolder folder;
  for (const bool tied : {false, true}) {
    const DenseWeights model = random_model(of_blocks(tied), 7);
    const auto read = [&](const gguf::Storage& storage) {
      return read_model(folder.write("model.gguf", gguf::model(model, storage).text()));
    };
    const DenseWeights exact = read({0, gguf::as_f32});
    expect_near(exact, model, 0);
    EXPECT_EQ(exact.configuration.tied_embeddings, tied);
    EXPECT_EQ(exact.configuration.kv_heads, 2);
    EXPECT_EQ(exact.configuration.vocabulary, 33);
    EXPECT_NEAR(exact.configuration.norm_epsilon, 1e-6, 1e-12);
    EXPECT_EQ(exact.configuration.rope_theta, 20000);
    EXPECT_EQ(exact.final_norm, model.final_norm);
    EXPECT_EQ(exact.layers[1].feed_forward_norm, model.layers[1].feed_forward_norm);
    expect_near(read({30, gguf::as_bf16}), model, 1.0 / 128);
    expect_near(read({1, gguf::as_f16}), model, 1.0 / 1024);
    expect_near(read({8, gguf::as_q8_0}), model, 1.0 / 127);  // scales are rounded up to powers of two
    expect_near(read({2, gguf::as_q4_0}), model, 1.0 / 7);
  }
}

TEST(GgufReader, UnpacksBlocksByTheFormatsDescription) {
  std::string q8, q4;
  gguf::put(q8, std::uint16_t(0x3800));  // 0.5
  gguf::put(q4, std::uint16_t(0xc000));  // -2
  for (int i = 0; i < 32; ++i) gguf::put(q8, std::int8_t(i * 8 - 128));
  for (int i = 0; i < 16; ++i) gguf::put(q4, std::uint8_t(i | (15 - i) << 4));
  float out[64];
  const std::string twice = q8 + q8;
  StoredNumbers{NumberType::q8_0, twice}.decode(0, 64, out);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(out[i], 0.5f * float((i % 32) * 8 - 128)) << i;
  StoredNumbers{NumberType::q4_0, q4}.decode(0, 32, out);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(out[i], -2.0f * float((i < 16 ? i : 15 - (i - 16)) - 8)) << i;
  for (const int first : {1, 31, 32, 33})  // a rank's columns begin anywhere
    for (const int count : {1, 2, 20, 31}) {
      StoredNumbers{NumberType::q8_0, twice}.decode(first, count, out);
      for (int i = 0; i < count; ++i) EXPECT_EQ(out[i], 0.5f * float(((first + i) % 32) * 8 - 128)) << first;
    }
}

TEST(GgufReader, KnowsTheRopeOfLlama31ByItsFactors) {
  const ScratchFolder folder;
  const DenseWeights model = random_model(of_blocks(true), 7);
  Configuration scaled = model.configuration;
  scaled.rope_scaling = {.factor = 8};
  const auto plain = rope_frequencies(model.configuration), slow = rope_frequencies(scaled);
  std::vector<float> factors;
  for (std::size_t i = 0; i < plain.size(); ++i) factors.push_back(float(plain[i] / slow[i]));
  ASSERT_GT(factors.back(), 7.9f);
  const auto with_factors = [&] {
    gguf::File file = gguf::model(model, {0, gguf::as_f32});
    file.tensor("rope_freqs.weight", {factors.size()}, 0,
                gguf::as_f32(factors.data(), std::int64_t(factors.size())));
    return file.text();
  };
  EXPECT_EQ(read_model(folder.write("m.gguf", with_factors())).configuration.rope_scaling,
            (RopeScaling{.factor = factors.back()}));
  factors[factors.size() / 2] *= 1.1f;
  EXPECT_THAT(complaint_about(folder, with_factors()), HasSubstr("by the rule of Llama 3.1"));
}

TEST(GgufReader, ReadsArchitecturesCloseToLlama) {
  const ScratchFolder folder;
  for (const Architecture architecture : {Architecture::mistral, Architecture::qwen2, Architecture::qwen3}) {
    Configuration c = of_blocks(true);
    c.architecture = architecture;
    c.sliding_window = architecture == Architecture::mistral ? 40 : 0;
    const DenseWeights put = random_model(c, 6);
    const DenseWeights found =
        read_model(folder.write("model.gguf", gguf::model(put, {0, gguf::as_f32}).text()));
    EXPECT_EQ(found.configuration.architecture, architecture);
    EXPECT_EQ(found.configuration.sliding_window, c.sliding_window);
    expect_near(found, put, 0);
    EXPECT_EQ(found.layers[1].query_bias, put.layers[1].query_bias);
    EXPECT_EQ(found.layers[1].value_bias, put.layers[1].value_bias);
    EXPECT_EQ(found.layers[1].key_norm, put.layers[1].key_norm);
    EXPECT_EQ(found.layers[0].key_norm.empty(), architecture != Architecture::qwen3);
  }
}

TEST(GgufReader, SaysWhatIsWrongWithAFile) {
  const ScratchFolder folder;
  const DenseWeights model = random_model(of_blocks(false), 5);
  const std::string good = gguf::model(model, {8, gguf::as_q8_0}).text();
  const auto edited = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return complaint_about(folder, text);
  };
  EXPECT_EQ(complaint_about(folder, good), "none");
  EXPECT_THAT(edited("llama", "gemma"),
              HasSubstr("general.architecture = \"gemma\": expected llama, qwen2 or qwen3"));
  EXPECT_THAT(edited("llama.block_count", "llama.black_count"),
              HasSubstr("llama.block_count = null: expected a number"));
  EXPECT_THAT(edited("blk.1.ffn_up", "blk.1.ffn_xx"), HasSubstr("found no tensor blk.1.ffn_up.weight"));
  EXPECT_THAT(edited("GGUF\x03", "GGUF\x01"), HasSubstr("found version 1, expected 2 or 3"));
  gguf::File more = gguf::model(model, {0, gguf::as_f32});
  more.tensor("blk.0.attn_q.bias", {64}, 0, std::string(256, '\0'));
  EXPECT_THAT(complaint_about(folder, more.text()), HasSubstr("attn_q.bias\", expected those of a llama"));
  gguf::File twice = gguf::model(model, {0, gguf::as_f32});
  twice.tensor("output.weight", {64}, 0, std::string(256, '\0'));
  EXPECT_THAT(complaint_about(folder, twice.text()), HasSubstr("found the tensor twice"));
  const std::string q6 = gguf::model(model, {14, gguf::as_q8_0}).text();
  EXPECT_THAT(complaint_about(folder, q6),
              HasSubstr("found type 14 of ggml, expected F64, F32, F16, BF16, Q8_0, Q4_0"));
  DenseWeights damaged = model;
  damaged.layers[1].up.row(3)[5] = NAN;
  EXPECT_THAT(complaint_about(folder, gguf::model(damaged, {0, gguf::as_f32}).text()),
              HasSubstr(fmt::format("ffn_up.weight\": found nan as element {}", 3 * 64 + 5)));
  for (std::size_t size = 0; size < good.size(); size += 1 + size / 8)
    EXPECT_THAT(complaint_about(folder, good.substr(0, size)), HasSubstr("model.gguf")) << size;
}

TEST(GgufReader, NoDamagedByteDoesMoreThanComplain) {
  const ScratchFolder folder;
  const std::string good = gguf::model(random_model(of_blocks(true), 4), {2, gguf::as_q4_0}).text();
  std::mt19937 random(1);
  int complaints = 0;
  for (int k = 0; k < 400; ++k) {
    std::string bytes = good;
    for (int flips = 0; flips < 3; ++flips) bytes[random() % 2000] = char(random() & 0xff);
    complaints += complaint_about(folder, bytes) != "none";  // all but InputError ends the test
  }
  EXPECT_GT(complaints, 200);
}

}  // namespace
}  // namespace wafermark::llama
