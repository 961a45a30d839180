// llama2.c checkpoints: both formats give the model back, a trained one gives the published program's logits,
// bad files give one line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "common/errors.hpp"
#include "llama2c_file.hpp"
#include "reference_model.hpp"
#include "scratch_folder.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/transformer.hpp"
#include "sparse_llama/model/checkpoint_writer.hpp"
#include "sparse_llama/model/model_reader.hpp"

namespace wafermark::llama {
namespace {

using ::testing::HasSubstr;

Configuration small_model(bool tied) {
  Configuration c;
  c.dim = 12, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_dim = 6, c.hidden = 10;
  c.vocabulary = 9, c.context = 5, c.tied_embeddings = tied;
  return c;
}

std::string complaint(const std::string& path) {
  try {
    read_model(path);
  } catch (const InputError& e) {
    return e.what();
  }
  return "none";
}

TEST(Llama2cReader, GivesTheModelBackFromBothFormats) {
  const ScratchFolder folder;
  for (const bool tied : {true, false}) {
    const DenseWeights model = random_model(small_model(tied), 5);
    for (const std::string& bytes : {llama2c_first_format(model), llama2c_version_1(model)}) {
      const DenseWeights back = read_model(folder.write("model.bin", bytes));
      EXPECT_EQ(flatten(back), flatten(model));
      const Configuration &got = back.configuration, &c = model.configuration;
      EXPECT_EQ(got.tied_embeddings, tied);
      EXPECT_EQ(std::tie(got.dim, got.layers, got.heads, got.kv_heads, got.head_dim, got.hidden),
                std::tie(c.dim, c.layers, c.heads, c.kv_heads, c.head_dim, c.hidden));
      EXPECT_EQ(std::tie(got.vocabulary, got.context), std::tie(c.vocabulary, c.context));
      EXPECT_EQ(got.norm_epsilon, 1e-5);
      EXPECT_EQ(got.rope_theta, 10000);
      EXPECT_EQ(got.rope_scaling.factor, 1);
    }
  }
}

/// The rotation that llama2.c does on its layout gives the same scores as ours on the permuted rows.
TEST(Llama2cReader, PermutedHeadsTurnAsInterleavedOnesDid) {
  const ScratchFolder folder;
  const DenseWeights model = random_model(small_model(true), 6);
  const Configuration& c = model.configuration;
  const DenseWeights back = read_model(folder.write("model.bin", llama2c_first_format(model)));
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  reference::Vector x(std::size_t(c.dim));
  for (double& v : x) v = normal(random);
  const auto stored = [&](const DenseMatrix& m) {
    DenseMatrix original = m;
    original.values = interleaved(m, c.head_dim);
    return original;
  };
  const auto turned_in_pairs = [&](reference::Vector v,
                                   double position) {  // run.c: for (i = 0; i < dim; i += 2)
    for (std::size_t i = 0; i < v.size(); i += 2) {
      const double frequency =
          1 / std::pow(10000.0, double(std::int64_t(i) % c.head_dim) / double(c.head_dim));
      const double real = std::cos(position * frequency), imaginary = std::sin(position * frequency);
      const double a = v[i], b = v[i + 1];
      v[i] = a * real - b * imaginary, v[i + 1] = a * imaginary + b * real;
    }
    return v;
  };
  const auto score = [&](const reference::Vector& q, const reference::Vector& k) {
    double sum = 0;
    for (std::size_t i = 0; i < std::size_t(c.head_dim); ++i) sum += q[i] * k[i];
    return sum;
  };
  const auto theirs = score(turned_in_pairs(reference::times(stored(model.layers[0].query), x), 7),
                            turned_in_pairs(reference::times(stored(model.layers[0].key), x), 2));
  reference::Vector q = reference::times(back.layers[0].query, x),
                    k = reference::times(back.layers[0].key, x);
  reference::rotate(c, q, 7);
  reference::rotate(c, k, 2);
  EXPECT_NEAR(score(q, k), theirs, 1e-12);
  EXPECT_GT(std::abs(theirs), 1e-3);
}

TEST(Llama2cReader, SaysWhatIsWrongWithAFile) {
  const ScratchFolder folder;
  const DenseWeights model = random_model(small_model(false), 5);
  const std::string good = llama2c_first_format(model), versioned = llama2c_version_1(model);
  const auto of = [&](const std::string& bytes) { return complaint(folder.write("model.bin", bytes)); };
  const auto with = [&](std::string bytes, std::size_t at, std::int32_t word) {
    std::memcpy(bytes.data() + at, &word, sizeof word);
    return of(bytes);
  };
  EXPECT_EQ(of(good), "none");
  EXPECT_THAT(of(""), HasSubstr("model.bin: found 0 bytes, expected a header of 28"));
  EXPECT_THAT(of(good.substr(0, 27)), HasSubstr("found 27 bytes, expected a header of 28"));
  EXPECT_THAT(of(versioned.substr(0, 200)), HasSubstr("found 200 bytes, expected a header of 256"));
  EXPECT_THAT(of(good.substr(0, good.size() - 1)), HasSubstr("bytes behind the header, expected"));
  EXPECT_THAT(of(good + "abcd"), HasSubstr("bytes behind the header, expected"));
  EXPECT_THAT(of(versioned + std::string(1 << 12, '\0')), HasSubstr("bytes behind the header, expected"));
  EXPECT_THAT(with(versioned, 4, 2), HasSubstr("found version 2, expected 0 or 1"));
  EXPECT_THAT(with(good, 0, -12), HasSubstr("found dim -12 over 2 heads"));
  EXPECT_THAT(with(good, 0, 13), HasSubstr("found dim 13 over 2 heads, expected a multiple"));
  EXPECT_THAT(with(good, 0, 1 << 30), HasSubstr("found dim 1073741824, expected 1 to 16777216"));
  EXPECT_THAT(with(good, 4, 0), HasSubstr("found hidden size 0, expected 1 to"));
  EXPECT_THAT(with(good, 8, 1 << 20), HasSubstr("found layers 1048576, expected 1 to 4096"));
  EXPECT_THAT(with(good, 12, 0), HasSubstr("over 0 heads"));
  EXPECT_THAT(with(good, 12, 4), HasSubstr("found 4 heads of 3"));
  EXPECT_THAT(with(good, 16, 3), HasSubstr("2 heads of 6 over 3 key/value heads"));
  EXPECT_THAT(with(good, 20, INT32_MIN), HasSubstr("found vocabulary 2147483648"));
  EXPECT_THAT(with(good, 24, -1), HasSubstr("found context -1"));
  EXPECT_THAT(with(good, 28 + 4 * 9 * 12, 0x7fc00000), HasSubstr("attention norms: found nan as element 0"));
  EXPECT_THAT(with(good, good.size() - 4, 0x7f800000), HasSubstr("output head: found inf as element 107"));
  EXPECT_THAT(complaint(folder.path("none.bin")), HasSubstr("none.bin: found no such file"));
  EXPECT_THAT(complaint(folder.write("model.gguf", good)), HasSubstr("found a file of unknown kind"));
  EXPECT_THAT(complaint(folder.path()), HasSubstr("config.json: cannot be read"));
  std::filesystem::create_directories(folder.path("folder.bin"));
  EXPECT_THAT(complaint(folder.path("folder.bin")), HasSubstr("config.json: cannot be read"));
}

TEST(Llama2cReader, NoDamagedByteDoesMoreThanComplain) {
  const ScratchFolder folder;
  const DenseWeights model = random_model(small_model(false), 4);
  std::mt19937 random(1);
  for (const std::string& good : {llama2c_first_format(model), llama2c_version_1(model)}) {
    int complaints = 0;
    for (int k = 0; k < 400; ++k) {  // three bytes of the sizes, or of the whole file; or the end is missing
      std::string bytes = good;
      for (int flips = 0; flips < 3; ++flips)
        bytes[random() % (k % 2 == 0 ? 40 : good.size())] = char(random() & 0xff);
      if (k % 5 == 0) bytes.resize(random() % good.size());
      complaints +=
          complaint(folder.write("model.bin", bytes)) != "none";  // all but InputError ends the test
    }
    EXPECT_GT(complaints, 200);
  }
}

/// Largest |difference| of the logits of `tokens`.
double difference(const DenseWeights& model, const nlohmann::json& reference, const auto& logits_of) {
  const auto tokens = reference.at("tokens").get<std::vector<std::int32_t>>();
  const auto logits = logits_of(model, tokens);
  double largest = 0;
  for (std::size_t t = 0; t < tokens.size(); ++t)
    for (std::size_t v = 0; v < std::size_t(model.configuration.vocabulary); ++v)
      largest = std::max(largest, std::abs(logits[t][v] - reference.at("logits")[t][v].get<double>()));
  return largest;
}

TEST(Llama2cReader, ATrainedModelGivesTheLogitsOfThePublishedProgram) {
  const std::string data = WAFERMARK_SOURCE_DIR "/../shared/data/llama/";
  std::ifstream file(data + "stories260K_reference_logits.json");
  if (!file) GTEST_SKIP() << data << ": not here, expected stories260K and its logits";
  const nlohmann::json expected = nlohmann::json::parse(file);
  const DenseWeights model = read_model(data + "stories260K.bin");
  const auto by_definition = [](const DenseWeights& w, std::span<const std::int32_t> tokens) {
    return reference_logits(w, tokens);
  };
  const auto by_transformer = [](const DenseWeights& w, std::span<const std::int32_t> tokens) {
    const Configuration& c = w.configuration;
    Transformer<float> transformer(c, 1, std::int64_t(tokens.size()));
    const auto parameters = flatten(w);
    transformer.forward(parameters.data(), tokens);
    std::vector<std::vector<double>> logits;
    for (auto row = transformer.logits().begin(); row != transformer.logits().end(); row += c.vocabulary)
      logits.emplace_back(row, row + c.vocabulary);
    return logits;
  };
  // fp32 sums of up to 172 terms on either side; logits reach 20
  EXPECT_LT(difference(model, expected, by_definition), 2e-4);
  EXPECT_LT(difference(model, expected, by_transformer), 4e-4);

  const ScratchFolder folder;
  write_checkpoint_folder(folder.path("converted"),
                          checkpoint_source("stories260K", std::make_shared<const DenseWeights>(model)),
                          StoredType::fp32);
  EXPECT_EQ(flatten(read_model(folder.path("converted"))), flatten(model));
}

}  // namespace
}  // namespace wafermark::llama
