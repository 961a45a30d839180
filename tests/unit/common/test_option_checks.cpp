// Values of command-line options: what is accepted, and the one line that each mistake gets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/option_checks.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// What CLI11 says of the words; "" when it takes them.
std::string said(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {
    return e.what();
  }
  return "";
}

TEST(OptionChecks, WholeNumbersAreReadAsDecksReadThem) {
  for (const auto& [word, value] :
       {std::pair("7", 7), std::pair("1e3", 1000), std::pair("010", 10), std::pair("+5", 5)}) {
    CLI::App app;
    std::int64_t steps = 0;
    app.add_option("--steps", steps)->transform(whole_number_in({1, 1e9}));
    EXPECT_EQ(said(app, {"--steps", word}), "");
    EXPECT_EQ(steps, value);
  }
  for (const std::string word :
       {"abc", "0", "-1", "1.5", "1e300", "99999999999999999999", "nan", "inf", "0x10", "1,2"}) {
    CLI::App app;
    std::int64_t steps = 0;
    app.add_option("--steps", steps)->transform(whole_number_in({1, 1e9}));
    EXPECT_EQ(said(app, {"--steps", word}),
              "--steps: found '" + word + "', expected a whole number from 1 to 1e9");
  }
}

TEST(OptionChecks, NumbersAreFiniteAndInTheirRange) {
  for (const std::string word : {"abc", "-1", "1e300", "nan", "inf", "1e999", "2 "}) {
    CLI::App app;
    double skin = 0;
    app.add_option("--skin", skin)->check(number_in({0, 10, true}));
    EXPECT_EQ(said(app, {"--skin", word}),
              "--skin: found '" + word + "', expected a number above 0 and at most 10");
  }
}

TEST(OptionChecks, WordsAreAmongTheirChoicesAndLongOnesAreCut) {
  CLI::App app;
  std::string target, name;
  app.add_option("--target", target)->check(one_of({"cluster", "wafer"}));
  app.add_option("--name", name)->check(not_empty("a name"));
  EXPECT_EQ(said(app, {"--target", "moon"}), "--target: found 'moon', expected one of cluster, wafer");
  EXPECT_THAT(said(app, {"--target", std::string(5000, 'x')}), HasSubstr("xxx..."));
  EXPECT_EQ(said(app, {"--name", ""}), "--name: found '', expected a name");
}

TEST(OptionChecks, RepeatedOptionTakesOneWordEachTime) {
  CLI::App app;
  std::vector<std::string> sets;
  std::string deck;
  repeated(app.add_option("--set", sets));
  app.add_option("deck", deck);
  EXPECT_EQ(said(app, {"--set", "a=[1,2]", "deck.toml", "--set", "[b]=1"}), "");
  EXPECT_EQ(deck, "deck.toml");
  EXPECT_EQ(sets, (std::vector<std::string>{"a=[1,2]", "[b]=1"}));
}

TEST(OptionChecks, PairsAreTwoWholeNumbers) {
  EXPECT_EQ(number_pair("8x6", "--tiles", 'x', 1), (std::array<int, 2>{8, 6}));
  for (const std::string text :
       {"", "x", "8", "8x", "x6", "0x6", "-8x6", "8x6x4", "8.5x6", "1e3x6", "99999999999x6", "8x6 "})
    EXPECT_THAT(
        [&] { number_pair(text, "--tiles", 'x', 1); },
        ThrowsMessage<InputError>(HasSubstr("--tiles: found '" + text + "', expected two whole numbers")));
}

TEST(OptionChecks, AFileToWriteReplacesNoDeviceAndNoFolder) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("wafermark_option_{}", ::getpid());
  fs::create_directories(folder / "taken");
  std::ofstream(folder / "old") << "text";
  const auto check = [](const std::string& path) {
    CLI::App app;
    std::string out;
    app.add_option("--out", out)->check(file_to_write());
    return said(app, {"--out", path});
  };
  EXPECT_EQ(check(folder / "new"), "");
  EXPECT_EQ(check(folder / "old"), "");
  EXPECT_EQ(check("new"), "");
  for (const std::string wrong : {"", "/dev/null", "/no/such/folder/file", "/"})
    EXPECT_THAT(check(wrong), HasSubstr("--out: found '" + wrong + "', expected a file"));
  EXPECT_THAT(check(folder / "taken"), HasSubstr("not a folder or device"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(write_text_file(folder / "pipe", "text"), InputError);
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
  EXPECT_THROW(write_text_file(folder / "taken", "text"), InputError);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace wafermark
