// llama2.c's tokenizer merges by score, gives SentencePiece's numbers, and its damaged files end with one
// line.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "common/errors.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

const std::string data = WAFERMARK_SOURCE_DIR "/../shared/data/llama/";

class Llama2cTokenizers : public testing::Test {
 protected:
  std::string path_ = testing::TempDir() + "llama2c_" + std::to_string(getpid()) + ".bin";
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
};

/// A tokenizer of single characters, some bytes, and "ab", "abc", "bc" with scores.
std::string tokenizer_file() {
  const std::int32_t longest = 6;
  std::string bytes(reinterpret_cast<const char*>(&longest), 4);
  const auto add = [&](const std::string& piece, float score) {
    const auto length = std::int32_t(piece.size());
    bytes.append(reinterpret_cast<const char*>(&score), 4);
    bytes.append(reinterpret_cast<const char*>(&length), 4);
    bytes += piece;
  };
  for (const char* piece : {"<unk>", "\n<s>\n", "\n</s>\n"}) add(piece, 0);
  for (int i = 0; i < 256; ++i) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", unsigned(i));
    add(name, 0);
  }
  for (const char* piece : {" ", "a", "b", "c"}) add(piece, -100);  // 259 to 262
  add("ab", -2);                                                    // 263
  add("bc", -1);
  add("abc", -3);
  add(" a", -4);
  return bytes;
}

TEST_F(Llama2cTokenizers, TokenizerMergesByScore) {
  write(tokenizer_file());
  const auto t = read_tokenizer(path_);
  EXPECT_EQ(t->vocabulary(), 267);
  EXPECT_THAT(t->encode("b"), testing::ElementsAre(259, 261));
  EXPECT_THAT(t->encode("abc"), testing::ElementsAre(259, 265));  // bc first, then abc
  EXPECT_THAT(t->encode("ab"), testing::ElementsAre(259, 263));   // better than " a"
  EXPECT_THAT(t->encode("a\xc3\xa9"), testing::ElementsAre(266, 3 + 0xc3, 3 + 0xa9));
  EXPECT_TRUE(t->encode("").empty());
  const std::string text = decode_text(*t, t->encode("abc b\xc3\xa9"));
  EXPECT_EQ(text, "abc b\xc3\xa9");
  write(tokenizer_file().substr(0, 1000));
  EXPECT_THAT([&] { read_tokenizer(path_); }, testing::ThrowsMessage<InputError>(testing::HasSubstr(path_)));
}

TEST_F(Llama2cTokenizers, TokenizerGivesSentencePiecesNumbers) {
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "no " << data;
  const auto bin = read_tokenizer(data + "babyllama_tok105.bin"),
             model = read_tokenizer(data + "babyllama_tok105.model");
  const std::string text = "One day, a little girl named Lily found a needle in her room.";
  EXPECT_EQ(bin->encode(text), model->encode(text));
}

}  // namespace
}  // namespace wafermark::llama
