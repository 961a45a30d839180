// A folder appears whole or not at all, and what a model takes is known from its sizes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors.hpp"
#include "scratch_folder.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/staged_folder.hpp"

namespace wafermark::llama {
namespace {

namespace fs = std::filesystem;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(StagedFolder, LeavesNothingUnlessItIsPutInPlace) {
  const ScratchFolder scratch;
  fs::create_directories(scratch.path("old"));
  put(scratch.path("old/model.safetensors"), "old");
  for (const char* name : {"new", "old"}) {
    StagedFolder folder(scratch.path(name));
    put(folder.path() + "/model.safetensors", "half");
  }
  EXPECT_THAT(names_in(scratch.path()), UnorderedElementsAre("old"));
  EXPECT_EQ(text_of(scratch.path("old/model.safetensors")), "old");
}

TEST(StagedFolder, ReplacesTheModelAndKeepsTheOtherFiles) {
  const ScratchFolder scratch;
  fs::create_directories(scratch.path("model"));
  for (const char* name : {"config.json", "model-00001-of-00001.safetensors", "tokenizer.json", "notes.txt"})
    put(scratch.path(std::string("model/") + name), "old");
  StagedFolder folder(scratch.path("model/"));  // a slash behind the name changes nothing
  put(folder.path() + "/config.json", "new");
  put(folder.path() + "/model.safetensors", "new");
  folder.commit();
  EXPECT_THAT(names_in(scratch.path("model")),
              UnorderedElementsAre("config.json", "model.safetensors", "notes.txt"));
  EXPECT_EQ(text_of(scratch.path("model/config.json")), "new");
  EXPECT_TRUE(holds_model(scratch.path("model")));
  EXPECT_FALSE(holds_model(scratch.path()));
  put(scratch.path("file"), "");
  EXPECT_THROW(StagedFolder(scratch.path("file")), InputError);
}

TEST(MemoryNeed, CountsEveryWeight) {
  Configuration c;
  c.dim = 8, c.layers = 3, c.heads = 2, c.kv_heads = 1, c.head_dim = 4, c.hidden = 12, c.vocabulary = 16,
  c.context = 8;
  for (const bool tied : {false, true}) {
    c.tied_embeddings = tied;
    EXPECT_EQ(weight_count(c), double(ParameterLayout(c).size)) << tied;
  }
  const double layers = layer_weight_count(c);
  EXPECT_EQ(packed_bytes(c, Format::dense, ValueType::fp32, 1), 4 * weight_count(c));
  EXPECT_EQ(packed_bytes(c, Format::bit_mask, ValueType::bf16, 0.5),
            layers * (1 + 8) / 8 + 2 * (weight_count(c) - layers));
}

TEST(MemoryNeed, OfACacheFollowsItsTypeAndTheWindow) {
  Configuration c;
  c.dim = 8, c.layers = 3, c.heads = 2, c.kv_heads = 1, c.head_dim = 4, c.hidden = 12, c.vocabulary = 16,
  c.context = 5000;
  const auto bytes = [&](ValueType type) { return decoder_bytes(c, Shares(c, 0, 1), type, 2, 4000, 256); };
  const double positions = 3 * 2 * 4000;  // of all layers and sequences, with a key and a value each
  EXPECT_EQ(bytes(ValueType::fp32) - bytes(ValueType::bf16), positions * 2 * 4 * 2);
  EXPECT_EQ(bytes(ValueType::fp32) - bytes(ValueType::int8), positions * 2 * (4 * 3 - 4));
  EXPECT_EQ(cached_positions(c, 4000, 256), 4000);
  EXPECT_EQ(cached_positions(c, 4001, 256), 4016);
  const double all = bytes(ValueType::fp32);
  c.sliding_window = 1000;
  EXPECT_EQ(cached_positions(c, 4000, 256), 1264);
  EXPECT_EQ(all - bytes(ValueType::fp32), 3 * 2 * (4000 - 1264) * 2 * 4 * 4);
  c.sliding_window = 3900;
  EXPECT_EQ(cached_positions(c, 4000, 256), 4000);
}

TEST(MemoryNeed, OfSizesThatFitNowhereIsANumber) {
  Configuration c;
  c.dim = c.hidden = c.vocabulary = c.context = 1 << 24, c.layers = 4096, c.heads = c.kv_heads = 1 << 17,
  c.head_dim = 128;
  EXPECT_GT(weight_count(c), 1e18);
  EXPECT_GT(decoder_bytes(c, Shares(c, 0, 1), ValueType::int8, 1e6, 1 << 24, 256), 1e23);
  EXPECT_GT(activation_bytes(c, 1e6, 1 << 24), 1e25);
}

}  // namespace
}  // namespace wafermark::llama
