// Tokenizers as Hugging Face folders have them: what goes before and behind a text is what the files say.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/errors.hpp"
#include "scratch_folder.hpp"
#include "sparse_llama/model/byte_alphabet.hpp"
#include "sparse_llama/model/companion_files.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json added(int id, const std::string& text, bool special = true) {
  return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

json template_of(const std::vector<std::string>& before, const std::vector<std::string>& behind = {}) {
  json single = json::array();
  for (const auto& id : before) single.push_back({{"SpecialToken", {{"id", id}, {"type_id", 0}}}});
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  for (const auto& id : behind) single.push_back({{"SpecialToken", {{"id", id}, {"type_id", 0}}}});
  return {{"type", "TemplateProcessing"}, {"single", single}};
}

/// Bytes as tokens 0 to 255, <s> 256, </s> 257.
json byte_level() {
  json vocab;
  for (int byte = 0; byte < 256; ++byte) vocab[to_byte_alphabet(std::string(1, char(byte)))] = byte;
  return {{"added_tokens", {added(256, "<s>"), added(257, "</s>")}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", json::array()}}}};
}

class TokenizerFolder : public ::testing::Test {
 protected:
  std::unique_ptr<Tokenizer> read(const json& tokenizer) const {
    folder_.write("tokenizer.json", tokenizer.dump());
    return read_tokenizer(folder_.path());
  }
  std::string complaint(const json& tokenizer) const {
    try {
      read(tokenizer);
    } catch (const InputError& e) {
      return e.what();
    }
    return "none";
  }
  void says(const char* file, const json& content) const { folder_.write(file, content.dump()); }

  ScratchFolder folder_;
};

TEST_F(TokenizerFolder, BosGoesBeforeATextWhereTheFilesSaySo) {
  EXPECT_THAT(read(byte_level())->prompt("hi"), ElementsAre('h', 'i'));  // no file names one
  says("config.json", {{"bos_token_id", 256}});
  EXPECT_THAT(read(byte_level())->prompt("hi"), ElementsAre(256, 'h', 'i'));
  says("tokenizer_config.json", {{"add_bos_token", false}, {"bos_token", "<s>"}});
  EXPECT_THAT(read(byte_level())->prompt("hi"), ElementsAre('h', 'i'));
  EXPECT_EQ(read(byte_level())->bos(), -1);
  json with_template = byte_level();
  with_template["post_processor"] = {{"type", "Sequence"},
                                     {"processors", {{{"type", "ByteLevel"}}, template_of({"<s>"})}}};
  EXPECT_THAT(read(with_template)->prompt("hi"),
              ElementsAre('h', 'i'));  // the switch goes before the template
  says("tokenizer_config.json", {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"bos_token", "<s>"}});
  EXPECT_THAT(read(with_template)->prompt("hi"), ElementsAre(256, 'h', 'i'));
  EXPECT_THAT(read(byte_level())->prompt("hi"), ElementsAre('h', 'i'));  // such a class puts none by itself
  with_template["post_processor"] = template_of({});
  says("tokenizer_config.json", {{"tokenizer_class", "LlamaTokenizerFast"}});
  EXPECT_THAT(read(with_template)->prompt("hi"), ElementsAre('h', 'i'));
}

TEST_F(TokenizerFolder, BosIsNotPutTwice) {
  says("config.json", {{"bos_token_id", 256}});
  EXPECT_THAT(read(byte_level())->prompt("<s>hi"), ElementsAre(256, 'h', 'i'));
  EXPECT_THAT(read(byte_level())->prompt("<s><s>hi"), ElementsAre(256, 256, 'h', 'i'));
}

TEST_F(TokenizerFolder, EosGoesBehindAPromptWhereTheFilesSaySo) {
  says("config.json", {{"bos_token_id", 256}, {"eos_token_id", 257}});
  says("tokenizer_config.json", {{"add_eos_token", true}});
  EXPECT_THAT(read(byte_level())->prompt("hi"), ElementsAre(256, 'h', 'i', 257));
  says("tokenizer_config.json", json::object());
  json tokenizer = byte_level();
  tokenizer["post_processor"] = template_of({"<s>"}, {"</s>"});
  EXPECT_THAT(read(tokenizer)->prompt("hi</s>"), ElementsAre(256, 'h', 'i', 257));
}

TEST_F(TokenizerFolder, NothingOfATextIsNothingOfAPromptUnlessThereIsBos) {
  EXPECT_THAT(read(byte_level())->prompt(""), IsEmpty());
  says("config.json", {{"bos_token_id", 256}});
  EXPECT_THAT(read(byte_level())->prompt(""), ElementsAre(256));
}

TEST_F(TokenizerFolder, GenerationConfigSaysWhatEndsATextThenConfig) {
  says("tokenizer_config.json", {{"eos_token", {{"content", "</s>"}}}});
  EXPECT_THAT(read(byte_level())->ends(), ElementsAre(257));
  says("config.json", {{"eos_token_id", 7}});
  EXPECT_THAT(read(byte_level())->ends(), ElementsAre(7));
  says("generation_config.json", {{"eos_token_id", {5, 9, 5}}});
  EXPECT_THAT(read(byte_level())->ends(), ElementsAre(5, 9));
  says("generation_config.json", {{"eos_token_id", nullptr}});
  EXPECT_THAT(read(byte_level())->ends(), ElementsAre(7));
  says("config.json", {{"eos_token_id", -1}, {"bos_token_id", -1}});
  EXPECT_THAT(read(byte_level())->ends(), ElementsAre(257));
  EXPECT_EQ(read(byte_level())->bos(), -1);
  says("config.json", {{"eos_token_id", "</s>"}});
  EXPECT_THAT(complaint(byte_level()), HasSubstr("eos_token_id = \"</s>\": expected the number of a token"));
  says("config.json", {{"bos_token_id", 258}});
  EXPECT_THAT(complaint(byte_level()),
              HasSubstr("bos_token_id = 258: expected a token below the tokenizer's 258"));
}

TEST_F(TokenizerFolder, ReadsNormalisersThatChangeNothingAndNamesTheOthers) {
  const auto with = [&](const char* key, const json& value) {
    json tokenizer = byte_level();
    tokenizer[key] = value;
    return complaint(tokenizer);
  };
  EXPECT_EQ(with("normalizer", {{"type", "Sequence"}, {"normalizers", json::array()}}), "none");
  EXPECT_THAT(with("normalizer", {{"type", "NFC"}}),
              HasSubstr("normalizer = {\"type\":\"NFC\"}: expected null"));
  EXPECT_THAT(with("normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}}}}),
              HasSubstr("NFC"));
  EXPECT_EQ(with("decoder", {{"type", "Sequence"}, {"decoders", {{{"type", "ByteLevel"}}}}}), "none");
  EXPECT_THAT(with("decoder", {{"type", "WordPiece"}}), HasSubstr("decoder = "));
  EXPECT_THAT(with("post_processor", {{"type", "BertProcessing"}}),
              HasSubstr("post_processor type = \"BertProcessing\""));
  EXPECT_THAT(with("model", {{"type", "Unigram"}}), HasSubstr("model.type = \"Unigram\": expected \"BPE\""));
}

TEST_F(TokenizerFolder, AddedTokensAreFoundInATextTheLongestFirst) {
  json tokenizer = byte_level();
  tokenizer["added_tokens"] = {added(300, "<|a|>"), added(301, "<|a|>b", false)};
  tokenizer["added_tokens"][0]["lstrip"] = true;
  tokenizer["added_tokens"][1]["rstrip"] = true;
  const auto t = read(tokenizer);
  EXPECT_THAT(t->encode("x <|a|>y"), ElementsAre('x', 300, 'y'));
  EXPECT_THAT(t->encode("x<|a|>b \n y"), ElementsAre('x', 301, 'y'));
  EXPECT_EQ(t->decode(300), "");
  EXPECT_EQ(t->decode(301), "<|a|>b");
  EXPECT_EQ(t->vocabulary(), 302);
  EXPECT_EQ(t->learnt_vocabulary(), 256);
}

/// Llama 2's kind: characters, U+2581 for blanks, bytes as "<0x0A>".
json marked_blanks() {
  json vocab{{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  int number = 3;
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = number++;
  for (const char* piece : {"\u2581", "a", "b", "ab", "\u2581ab"}) vocab[piece] = number++;  // from 259
  const json mark{{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  const json prepend{{"type", "Prepend"}, {"prepend", "\u2581"}};
  return {{"added_tokens", {added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")}},
          {"normalizer", {{"type", "Sequence"}, {"normalizers", {prepend, mark}}}},
          {"pre_tokenizer", nullptr},
          {"post_processor", template_of({"<s>"})},
          {"model",
           {{"type", "BPE"}, {"byte_fallback", true}, {"vocab", vocab}, {"merges", {"a b", "\u2581 ab"}}}}};
}

TEST_F(TokenizerFolder, ReadsTokenizersThatWereConvertedFromSentencePiece) {
  const auto t = read(marked_blanks());
  EXPECT_THAT(t->prompt("ab ab"), ElementsAre(1, 263, 263));
  EXPECT_THAT(t->encode(" ab"), ElementsAre(259, 263));
  EXPECT_THAT(t->encode("ab<s>ab"), ElementsAre(263, 1, 263));
  EXPECT_THAT(t->encode("a\xc3\xa9"), ElementsAre(259, 260, 3 + 0xc3, 3 + 0xa9));
  EXPECT_EQ(decode_text(*t, t->encode("ab \xc3\xa9")), "ab \xc3\xa9");
  json metaspace = marked_blanks();
  metaspace["normalizer"] = nullptr;
  metaspace["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}, {"split", false}};
  EXPECT_THAT(read(metaspace)->encode("ab<s>ab"), ElementsAre(263, 1, 262));
  EXPECT_THAT(read(metaspace)->encode(" ab"), ElementsAre(263));
  metaspace["pre_tokenizer"]["split"] = true;
  EXPECT_THAT(complaint(metaspace), HasSubstr("pre_tokenizer = "));
  metaspace["pre_tokenizer"] = nullptr;
  EXPECT_THAT(complaint(metaspace), HasSubstr("expected blanks that become U+2581"));
}

TEST_F(TokenizerFolder, NoTokenOutsideTheTableOfAModelPasses) {
  const auto t = read(byte_level());
  const auto refusal = [](const auto& check) -> std::string {
    try {
      check();
    } catch (const InputError& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal([&] { expect_fits(*t, 256); }), "none");  // <s> and </s> may have no rows
  EXPECT_THAT(refusal([&] { expect_fits(*t, 255); }), HasSubstr("found 256 pieces, expected at most"));
  const std::vector<std::int32_t> tokens{0, 255}, missing{0, -1}, beyond{256};
  EXPECT_EQ(refusal([&] { expect_rows(tokens, 256, "text"); }), "none");
  EXPECT_THAT(refusal([&] { expect_rows(missing, 256, "text"); }),
              HasSubstr("text: found the token -1, expected 0 to 255"));
  EXPECT_THAT(refusal([&] { expect_rows(beyond, 256, "text"); }), HasSubstr("found the token 256"));
}

TEST_F(TokenizerFolder, GitLfsPointersAreNoTokenizers) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 123\n";
  for (const char* name : {"tokenizer.model", "tokenizer.json", "tokenizer.bin"}) {
    const ScratchFolder folder;
    folder.write(name, pointer);
    EXPECT_THAT([&] { read_tokenizer(folder.path()); },
                testing::ThrowsMessage<InputError>(HasSubstr("git-lfs pointer")))
        << name;
  }
  folder_.write("config.json", pointer);
  EXPECT_THAT(complaint(byte_level()), HasSubstr("config.json: this is a git-lfs pointer"));
}

TEST_F(TokenizerFolder, CompanionsKeepTheirNames) {
  says("tokenizer.json", byte_level());
  for (const char* name :
       {"tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "unknown.json"})
    says(name, {{"a", name}});
  const ScratchFolder target, other;
  copy_companions(companions_of(folder_.path(), ""), target.path());
  for (const char* name :
       {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"})
    EXPECT_TRUE(std::filesystem::exists(target.path(name))) << name;
  EXPECT_FALSE(std::filesystem::exists(target.path("unknown.json")));
  EXPECT_TRUE(companions_of(folder_.path(), "").tokenizer);
  EXPECT_FALSE(companions_of(other.path(), "").tokenizer);

  const std::string given = other.write("mine.json", byte_level().dump());
  const ScratchFolder second;
  copy_companions(companions_of(folder_.path(), given), second.path());
  EXPECT_TRUE(std::filesystem::exists(second.path("tokenizer.json")));
  EXPECT_TRUE(std::filesystem::exists(second.path("generation_config.json")));
  EXPECT_FALSE(
      std::filesystem::exists(second.path("tokenizer_config.json")));  // it belongs to the other tokenizer
}

}  // namespace
}  // namespace wafermark::llama
