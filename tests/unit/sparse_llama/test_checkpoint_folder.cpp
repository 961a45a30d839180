// Hugging Face folders: what is written is what is read, and damaged files give one line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "common/errors.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/checkpoint_reader.hpp"
#include "sparse_llama/model/checkpoint_writer.hpp"

namespace wafermark::llama {
namespace {

class CheckpointFolder : public ::testing::Test {
 protected:
  CheckpointFolder() {
    folder_ =
        (std::filesystem::temp_directory_path() / ("llama_folder_" + std::to_string(std::random_device{}())))
            .string();
    model_.dim = 8, model_.layers = 2, model_.heads = 2, model_.kv_heads = 1, model_.head_dim = 4,
    model_.hidden = 12;
    model_.vocabulary = 16, model_.context = 32, model_.rope_scaling = {8, 1, 4, 64};
  }
  ~CheckpointFolder() override { std::filesystem::remove_all(folder_); }

  std::string content() const {
    std::ifstream in(folder_ + "/model.safetensors", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void replace(const std::string& text) const {
    std::ofstream(folder_ + "/model.safetensors", std::ios::binary) << text;
  }
  std::string complaint() const {
    try {
      read_checkpoint_folder(folder_);
    } catch (const InputError& e) {
      return e.what();
    }
    return "none";
  }

  std::string folder_;
  Configuration model_;
};

TEST_F(CheckpointFolder, KeepsFloatsExactlyAndBf16ToHalfAUnit) {
  const auto parameters = initial_parameters(model_, 3);
  write_checkpoint_folder(folder_, unflatten(model_, parameters), StoredType::fp32);
  const DenseWeights back = read_checkpoint_folder(folder_);
  EXPECT_EQ(flatten(back), parameters);
  EXPECT_EQ(back.configuration.kv_heads, 1);
  EXPECT_EQ(back.configuration.rope_scaling.factor, 8);
  EXPECT_EQ(back.configuration.rope_scaling.original_context, 64);
  EXPECT_FALSE(back.configuration.tied_embeddings);

  write_checkpoint_folder(folder_, unflatten(model_, parameters), StoredType::bf16);
  const auto rounded = flatten(read_checkpoint_folder(folder_));
  std::size_t differ = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_LE(std::abs(rounded[i] - parameters[i]), std::abs(parameters[i]) / 256) << i;
    differ += rounded[i] != parameters[i];
  }
  EXPECT_GT(differ, parameters.size() / 2);
}

TEST_F(CheckpointFolder, SaysWhatIsWrongWithAFile) {
  using ::testing::HasSubstr;
  EXPECT_THAT(complaint(), HasSubstr("config.json: cannot be read"));
  write_checkpoint_folder(folder_, unflatten(model_, initial_parameters(model_, 3)), StoredType::fp32);
  EXPECT_EQ(complaint(), "none");
  const std::string good = content();
  const auto edited = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    replace(text);
    return complaint();
  };
  EXPECT_THAT(edited("\"F32\"", "\"I32\""), HasSubstr("found type \"I32\", expected F32, F16 or BF16"));
  EXPECT_THAT(edited("q_proj", "q_prok"),
              HasSubstr("found no tensor model.layers.0.self_attn.q_proj.weight"));
  EXPECT_THAT(edited("[12,8]", "[8,12]"), HasSubstr("found shape [8,12], expected [12,8]"));
  EXPECT_THAT(edited("\"data_offsets\":[0,", "\"data_offsets\":[9,"), HasSubstr("bytes, expected"));
  std::string text = good;
  text[6] = 0x7f;
  replace(text);
  EXPECT_THAT(complaint(), HasSubstr("expected a whole file"));
  text = good;
  const float nan = NAN;
  std::memcpy(text.data() + text.size() - 4, &nan, 4);
  replace(text);
  EXPECT_THAT(complaint(), HasSubstr("expected a number"));
  for (const std::size_t size :
       {std::size_t(0), std::size_t(7), std::size_t(8), std::size_t(100), good.size() - 1}) {
    replace(good.substr(0, size));
    EXPECT_THAT(complaint(), HasSubstr("model.safetensors")) << size;
  }
}

TEST_F(CheckpointFolder, NoDamagedHeaderDoesMoreThanComplain) {
  write_checkpoint_folder(folder_, unflatten(model_, initial_parameters(model_, 3)), StoredType::bf16);
  const std::string good = content();
  std::uint64_t header = 0;
  std::memcpy(&header, good.data(), 8);
  std::mt19937 random(1);
  int complaints = 0;
  for (int k = 0; k < 400; ++k) {
    std::string text = good;
    for (int flips = 0; flips < 3; ++flips) text[random() % (8 + header)] = char(random() & 0xff);
    replace(text);
    complaints += complaint() != "none";  // anything but an InputError ends the test
  }
  EXPECT_GT(complaints, 300);
}

}  // namespace
}  // namespace wafermark::llama
