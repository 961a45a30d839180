// llama2.c files: what is read is what was written, bad files end with one line, whatever is wrong with them;
// the tokenizer gives SentencePiece's numbers.
#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "common/errors.hpp"
#include "sparse_llama/model/checkpoint_reader.hpp"
#include "sparse_llama/model/llama2c_reader.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

const std::string data = WAFERMARK_SOURCE_DIR "/../shared/data/llama/";

class Llama2c : public testing::Test {
 protected:
  std::string path_ = testing::TempDir() + "llama2c_" + std::to_string(getpid()) + ".bin";
  void TearDown() override { std::filesystem::remove(path_); }

  /// dim 8, hidden 6, 2 layers, 2 heads, 1 key/value head, vocabulary 5, context 4; numbers count up.
  static std::string sample(std::int32_t vocabulary = 5) {
    const std::int32_t header[] = {8, 6, 2, 2, 1, vocabulary, 4};
    std::string bytes(reinterpret_cast<const char*>(header), sizeof header);
    const std::int64_t numbers =
        5 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 3 * 48) + 8 + 16 + (vocabulary < 0 ? 40 : 0);
    for (std::int64_t i = 0; i < numbers; ++i) {
      const auto value = float(i);
      bytes.append(reinterpret_cast<const char*>(&value), 4);
    }
    return bytes;
  }
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string message(const std::string& bytes) const {
    write(bytes);
    try {
      read_checkpoint(path_);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Llama2c, TensorsLieWhereTheFormatSays) {
  write(sample(-5));
  const DenseWeights w = read_checkpoint(path_);
  EXPECT_EQ(w.configuration.head_dim, 4);
  EXPECT_FALSE(w.configuration.tied_embeddings);
  EXPECT_EQ(w.embedding.row(1)[0], 8);
  const float query = 40 + 16;  // behind embedding and two norms
  // Heads of four rows: pairs (0, 1) and (2, 3) in the file, (0, 2) and (1, 3) here.
  EXPECT_EQ(w.layers[0].query.row(0)[0], query);
  EXPECT_EQ(w.layers[0].query.row(2)[0], query + 8);
  EXPECT_EQ(w.layers[0].query.row(1)[0], query + 16);
  EXPECT_EQ(w.layers[0].query.row(3)[0], query + 24);
  EXPECT_EQ(w.layers[0].query.row(4)[0], query + 32);
  EXPECT_EQ(w.layers[1].query.row(0)[0], query + 64);
  EXPECT_EQ(w.layers[0].key.row(1)[0], query + 128 + 16);
  EXPECT_EQ(w.layers[0].value.row(1)[0], query + 128 + 64 + 8);  // values do not turn
  EXPECT_EQ(w.head.row(4)[7], float(40 + 2 * 352 + 8 + 16 + 39));
}

TEST_F(Llama2c, BadFilesEndWithOneLine) {
  const std::string good = sample();
  EXPECT_EQ(message(good), "");
  EXPECT_THAT(message(""), testing::HasSubstr("found 0 bytes, expected a header of 28"));
  EXPECT_THAT(message(good.substr(0, 100)), testing::HasSubstr("found 100 bytes, expected 3100"));
  EXPECT_THAT(message(good + "x"), testing::HasSubstr("found 3101 bytes"));
  const auto changed = [&](int word, std::int32_t value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + 4 * word, &value, 4);
    return bytes;
  };
  EXPECT_THAT(message(changed(0, -8)), testing::HasSubstr("dim = -8: expected 1 to 16777216"));
  EXPECT_THAT(message(changed(0, std::numeric_limits<std::int32_t>::max())),
              testing::HasSubstr("dim = 2147483647"));
  EXPECT_THAT(message(changed(2, 1 << 24)), testing::HasSubstr("bytes, expected"));
  EXPECT_THAT(message(changed(4, 3)), testing::HasSubstr("heads = 2: expected a multiple of the 3"));
  EXPECT_THAT(message(changed(5, std::numeric_limits<std::int32_t>::min())),
              testing::HasSubstr("vocabulary"));
  std::string nan = good;
  const float bad = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(nan.data() + 28 + 4 * 300, &bad, 4);
  EXPECT_THAT(message(nan), testing::HasSubstr("found nan as element"));
}

/// Whatever bits flip and wherever the file ends: a model or an InputError, and never room for sizes that the
/// file does not have.
TEST_F(Llama2c, SurvivesDamage) {
  const std::string good = sample();
  std::mt19937 engine(1);
  int read = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string bytes = good;
    const int flips = 1 + int(engine() % 3);
    for (int i = 0; i < flips; ++i)
      bytes[engine() % (trial % 2 ? 28 : bytes.size())] ^= char(1 << engine() % 8);
    if (trial % 5 == 0) bytes.resize(engine() % bytes.size());
    read += message(bytes).empty();
  }
  EXPECT_GT(read, 100);   // a bit of a weight
  EXPECT_LT(read, 2900);  // most others
}

/// A tokenizer of single characters, some bytes, and "ab", "abc", "bc" with scores.
std::string tokenizer_file() {
  std::string bytes(4, '\0');
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

TEST_F(Llama2c, TokenizerMergesByScore) {
  write(tokenizer_file());
  const auto t = read_tokenizer(path_);
  EXPECT_EQ(t->vocabulary(), 267);
  EXPECT_THAT(t->encode("b"), testing::ElementsAre(259, 261));
  EXPECT_THAT(t->encode("abc"), testing::ElementsAre(259, 265));  // bc first, then abc
  EXPECT_THAT(t->encode("ab"), testing::ElementsAre(259, 263));   // better than " a"
  EXPECT_THAT(t->encode("a\xc3\xa9"), testing::ElementsAre(266, 3 + 0xc3, 3 + 0xa9));
  EXPECT_TRUE(t->encode("").empty());
  std::string text;
  std::int32_t previous = t->bos();
  for (const auto token : t->encode("abc b\xc3\xa9")) {
    text += t->decode(token, previous);
    previous = token;
  }
  EXPECT_EQ(text, "abc b\xc3\xa9");
  write(tokenizer_file().substr(0, 1000));
  EXPECT_THAT([&] { read_tokenizer(path_); },
              testing::ThrowsMessage<InputError>(testing::HasSubstr("ends inside the file")));
}

TEST_F(Llama2c, TokenizerGivesSentencePiecesNumbers) {
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "no " << data;
  const auto bin = read_tokenizer(data + "babyllama_tok105.bin"),
             model = read_tokenizer(data + "babyllama_tok105.model");
  const std::string text = "One day, a little girl named Lily found a needle in her room.";
  EXPECT_EQ(bin->encode(text), model->encode(text));
}

}  // namespace
}  // namespace wafermark::llama
