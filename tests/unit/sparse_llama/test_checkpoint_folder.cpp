// Hugging Face folders: what is written is what is read, and damaged files give one line.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "common/errors.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/checkpoint_reader.hpp"
#include "sparse_llama/model/checkpoint_writer.hpp"
#include "sparse_llama/model/tensors.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {
namespace {

WeightSource in_memory(const DenseWeights& weights) {
  return checkpoint_source("memory", std::make_shared<const DenseWeights>(weights));
}
DenseWeights read_checkpoint_folder(const std::string& folder) {
  return dense_weights(file_source(std::make_shared<const FileModel>(open_checkpoint_folder(folder))));
}

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
  write_checkpoint_folder(folder_, in_memory(unflatten(model_, parameters)), StoredType::fp32);
  const DenseWeights back = read_checkpoint_folder(folder_);
  EXPECT_EQ(flatten(back), parameters);
  EXPECT_EQ(back.configuration.kv_heads, 1);
  EXPECT_EQ(back.configuration.rope_scaling.factor, 8);
  EXPECT_EQ(back.configuration.rope_scaling.original_context, 64);
  EXPECT_FALSE(back.configuration.tied_embeddings);

  write_checkpoint_folder(folder_, in_memory(unflatten(model_, parameters)), StoredType::bf16);
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
  write_checkpoint_folder(folder_, in_memory(unflatten(model_, initial_parameters(model_, 3))),
                          StoredType::fp32);
  EXPECT_EQ(complaint(), "none");
  const std::string good = content();
  const auto edited = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    replace(text);
    return complaint();
  };
  EXPECT_THAT(edited("\"F32\"", "\"I32\""), HasSubstr("found type \"I32\", expected BF16, F16, F32, F64"));
  EXPECT_THAT(edited("q_proj", "q_prok"),
              HasSubstr("found no tensor model.layers.0.self_attn.q_proj.weight"));
  EXPECT_THAT(edited("[12,8]", "[8,12]"), HasSubstr("found shape [8,12], expected [12,8]"));
  EXPECT_THAT(edited("\"data_offsets\":[0,", "\"data_offsets\":[9,"),
              HasSubstr("found 9 bytes at 0 that are of no tensor"));
  std::string text = good;
  text[6] = 0x7f;
  replace(text);
  EXPECT_THAT(complaint(), HasSubstr("expected a whole file"));
  EXPECT_THAT(edited("self_attn.k_proj", "self_attn.q_proj"),
              HasSubstr("q_proj.weight\" twice, expected it once"));
  EXPECT_THAT(edited("\"shape\":[12,8]", "\"shape\":[[[[]]]"), HasSubstr("not JSON"));
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

/// Cuts the tensors of the one file into two, as large models are stored.
void split_in_two(const std::string& folder, const std::string& whole) {
  std::uint64_t length = 0;
  std::memcpy(&length, whole.data(), 8);
  const auto header = nlohmann::json::parse(whole.substr(8, length));
  nlohmann::json headers[2], index;
  std::string data[2];
  std::size_t count = 0;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    const std::size_t part = count++ % 2, first = tensor["data_offsets"][0], last = tensor["data_offsets"][1];
    headers[part][name] = tensor;
    headers[part][name]["data_offsets"] = {data[part].size(), data[part].size() + last - first};
    data[part] += whole.substr(8 + length + first, last - first);
    index["weight_map"][name] =
        part == 0 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
  }
  for (const std::size_t part : {0, 1}) {
    const std::string text = headers[part].dump();
    const std::uint64_t size = text.size();
    std::ofstream out(folder + fmt::format("/model-0000{}-of-00002.safetensors", part + 1), std::ios::binary);
    out.write(reinterpret_cast<const char*>(&size), 8);
    out << text << data[part];
  }
  std::filesystem::remove(folder + "/model.safetensors");
  std::ofstream(folder + "/model.safetensors.index.json") << index;
}

TEST_F(CheckpointFolder, ReadsAModelFromTwoFilesWithAndWithoutAnIndex) {
  using ::testing::HasSubstr;
  const auto parameters = initial_parameters(model_, 3);
  write_checkpoint_folder(folder_, in_memory(unflatten(model_, parameters)), StoredType::fp32);
  const std::string whole = content(), index = folder_ + "/model.safetensors.index.json";
  split_in_two(folder_, whole);
  EXPECT_EQ(flatten(read_checkpoint_folder(folder_)), parameters);
  std::filesystem::rename(index, folder_ + "/hidden");
  EXPECT_EQ(flatten(read_checkpoint_folder(folder_)), parameters);
  replace(whole);  // without an index the whole file goes before parts
  std::filesystem::remove(folder_ + "/model-00002-of-00002.safetensors");
  EXPECT_EQ(flatten(read_checkpoint_folder(folder_)), parameters);
  std::filesystem::remove(folder_ + "/model.safetensors");
  EXPECT_THAT(complaint(), HasSubstr("found no model-00002-of-00002.safetensors, expected all 2 parts"));
  std::filesystem::rename(folder_ + "/hidden", index);  // and the index says what there should be
  EXPECT_THAT(complaint(), HasSubstr("model-00002-of-00002.safetensors: cannot be read"));
  std::ofstream(index) << R"({"weight_map": {"a": "../model.safetensors"}})";
  EXPECT_THAT(complaint(), HasSubstr("expected the name of a file beside it"));
  std::ofstream(index) << R"({"metadata": {}})";
  EXPECT_THAT(complaint(), HasSubstr("found no object 'weight_map'"));
}

TEST_F(CheckpointFolder, LosesNoTensorSilently) {
  using ::testing::HasSubstr;
  write_checkpoint_folder(folder_, in_memory(unflatten(model_, initial_parameters(model_, 3))),
                          StoredType::fp32);
  const std::string good = content();
  const auto with_tensor = [&](const std::string& name) {
    std::uint64_t length = 0;
    std::memcpy(&length, good.data(), 8);
    auto header = nlohmann::json::parse(good.substr(8, length));
    header[name] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
    const std::string text = header.dump();
    length = text.size();
    std::string size(8, ' ');
    std::memcpy(size.data(), &length, 8);
    replace(size + text + good.substr(good.size() - 4 * initial_parameters(model_, 3).size()));
    return complaint();
  };
  EXPECT_THAT(
      with_tensor("model.layers.0.self_attn.q_proj.bias"),
      HasSubstr("found a tensor \"model.layers.0.self_attn.q_proj.bias\", expected those of a llama model"));
  EXPECT_THAT(with_tensor("model.layers.2.mlp.up_proj.weight"),
              HasSubstr("model.layers.2.mlp.up_proj.weight"));
  EXPECT_EQ(with_tensor("model.layers.0.self_attn.rotary_emb.inv_freq"), "none");
}

TEST_F(CheckpointFolder, ReadsHalfPrecisionOfEveryKind) {
  // value, F16 bits: normal, negative, smallest subnormal, largest, zero, 1/3 rounded
  const std::vector<std::pair<float, std::uint16_t>> halves{
      {1, 0x3c00}, {-2, 0xc000}, {0x1p-24f, 0x0001}, {65504, 0x7bff}, {0, 0x0000}, {0.33325195f, 0x3555}};
  write_checkpoint_folder(folder_, in_memory(unflatten(model_, initial_parameters(model_, 3))),
                          StoredType::bf16);
  std::string text = content();
  for (std::size_t at = text.find("BF16"); at != std::string::npos; at = text.find("BF16"))
    text.replace(at, 4, "F16");
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), 8);
  const std::size_t removed = content().size() - text.size();
  text.insert(8 + length - removed, std::string(removed, ' '));
  const auto with_bits = [&](std::size_t element, std::uint16_t bits) {  // of the first tensor in the file
    std::memcpy(text.data() + 8 + length + 2 * element, &bits, 2);
  };
  for (std::size_t i = 0; i < text.size() - 8 - length; i += 2) with_bits(i / 2, 0x3800);
  for (std::size_t i = 0; i < halves.size(); ++i) with_bits(i, halves[i].second);
  replace(text);
  const auto values = read_checkpoint_folder(folder_).embedding.values;
  for (std::size_t i = 0; i < halves.size(); ++i) EXPECT_EQ(values[i], halves[i].first) << i;
  EXPECT_EQ(values[halves.size()], 0.5f);
  for (const std::uint16_t bad : {std::uint16_t(0x7c00), std::uint16_t(0xfc00), std::uint16_t(0x7e00)}) {
    with_bits(2, bad);
    replace(text);
    EXPECT_THAT(complaint(), ::testing::HasSubstr("as element 2, expected a number")) << bad;
  }
}

/// A safetensors file of these tensors: name, type, shape, bytes.
struct Stored {
  std::string name, type;
  std::vector<std::int64_t> shape;
  std::string bytes;
};
std::string safetensors(const std::vector<Stored>& tensors) {
  nlohmann::json header;
  std::string data;
  for (const Stored& t : tensors) {
    header[t.name] = {
        {"dtype", t.type}, {"shape", t.shape}, {"data_offsets", {data.size(), data.size() + t.bytes.size()}}};
    data += t.bytes;
  }
  const std::string text = header.dump();
  std::string length(8, ' ');
  const std::uint64_t size = text.size();
  std::memcpy(length.data(), &size, 8);
  return length + text + data;
}
template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// The model's tensors as doubles, its matrices in blocks without their zeros (compressed-tensors).
std::vector<Stored> without_zeros(const DenseWeights& w, bool offsets) {
  std::vector<Stored> tensors;
  const auto plain = [&](const std::string& name, std::vector<std::int64_t> shape,
                         const std::vector<float>& v) {
    tensors.push_back({name, "F64", std::move(shape), bytes_of(std::vector<double>(v.begin(), v.end()))});
  };
  each_tensor(w, [&](const std::string& name, const auto& tensor) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>) {
      plain(name, {std::int64_t(tensor.size())}, tensor);
    } else if (name.find("layers") == std::string::npos) {
      plain(name, {tensor.rows, tensor.columns}, tensor.values);
    } else {
      const std::int64_t row_bytes = (tensor.columns + 7) / 8;
      std::vector<std::uint8_t> mask(std::size_t(tensor.rows * row_bytes), 0);
      std::vector<float> values;
      std::vector<std::int64_t> begin;
      for (std::int64_t r = 0; r < tensor.rows; ++r) {
        begin.push_back(std::int64_t(values.size()));
        for (std::int64_t c = 0; c < tensor.columns; ++c)
          if (tensor.row(r)[c] != 0) {
            values.push_back(tensor.row(r)[c]);
            mask[std::size_t(r * row_bytes + c / 8)] |= std::uint8_t(1 << (c % 8));
          }
      }
      const auto count = std::int64_t(values.size());
      tensors.push_back(
          {name + ".shape", "I64", {2}, bytes_of(std::vector<std::int64_t>{tensor.rows, tensor.columns})});
      tensors.push_back({name + ".compressed", "F32", {count}, bytes_of(values)});
      tensors.push_back({name + ".bitmask", "U8", {tensor.rows, row_bytes}, bytes_of(mask)});
      if (offsets) tensors.push_back({name + ".row_offsets", "I64", {tensor.rows}, bytes_of(begin)});
    }
  });
  return tensors;
}

TEST_F(CheckpointFolder, ReadsMatricesThatAreStoredWithoutTheirZeros) {
  using ::testing::HasSubstr;
  auto parameters = initial_parameters(model_, 3);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (i % 3 != 0) parameters[i] = 0;
  const DenseWeights w = unflatten(model_, parameters);
  write_checkpoint_folder(folder_, in_memory(w), StoredType::fp32);
  for (const bool offsets : {true, false}) {
    replace(safetensors(without_zeros(w, offsets)));
    EXPECT_EQ(flatten(read_checkpoint_folder(folder_)), parameters) << offsets;
  }
  const auto broken = [&](const std::string& part, const auto& damage) {
    auto tensors = without_zeros(w, true);
    damage(*std::find_if(tensors.begin(), tensors.end(),
                         [&](const Stored& t) { return t.name.ends_with(part); }));
    replace(safetensors(tensors));
    return complaint();
  };
  EXPECT_THAT(broken(".shape", [](Stored& t) { t.bytes[0] = 7; }),
              HasSubstr("q_proj.weight.shape\": found [7,8], expected [8,8]"));
  EXPECT_THAT(broken(".bitmask", [](Stored& t) { t.bytes[0] = char(t.bytes[0] ^ 1); }),
              HasSubstr("row_offsets\": found"));
  EXPECT_THAT(broken(".compressed", [](Stored& t) { t.shape[0]--, t.bytes.resize(t.bytes.size() - 4); }),
              HasSubstr("values, expected"));
  EXPECT_THAT(broken("q_proj.weight.compressed", [](Stored& t) { t.name = "other"; }),
              HasSubstr("found a tensor \"other\""));
  EXPECT_THAT(broken("down_proj.weight.bitmask", [](Stored& t) { t.bytes[1] = char(0xf0); }),
              HasSubstr("bits beyond column 11 in row 0"));
}

TEST_F(CheckpointFolder, NamesWhatLiesThereInstead) {
  using ::testing::HasSubstr;
  write_checkpoint_folder(folder_, in_memory(unflatten(model_, initial_parameters(model_, 3))),
                          StoredType::fp32);
  const std::string good = content();
  replace("version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 123\n");
  EXPECT_THAT(complaint(), HasSubstr("model.safetensors: this is a git-lfs pointer, not the file"));
  replace("PK\x03\x04 and more");
  EXPECT_THAT(complaint(), HasSubstr("a Python pickle"));
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), 8);
  std::string named = good;
  named.replace(named.find("q_proj.weight"), 13, "q_prq.qweight");
  replace(named);
  EXPECT_THAT(complaint(), HasSubstr("q_prq.qweight\" of GPTQ or AWQ weights"));
  replace(good + "more");
  EXPECT_THAT(complaint(), HasSubstr("found 4 bytes behind the last tensor"));

  std::filesystem::remove(folder_ + "/model.safetensors");
  const auto only = [&](const std::string& name) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << "x";
    const std::string text = complaint();
    std::filesystem::remove(path);
    return text;
  };
  EXPECT_THAT(complaint(), HasSubstr("found no *.safetensors"));
  EXPECT_THAT(only("pytorch_model.bin"),
              HasSubstr("pytorch_model.bin: found a Python pickle, expected safetensors"));
  EXPECT_THAT(only("pytorch_model-00001-of-00002.bin"), HasSubstr("Python pickle"));
  EXPECT_THAT(only("consolidated.00.pth"), HasSubstr("Python pickle"));
  EXPECT_THAT(only("model.gguf"), HasSubstr("GGUF"));
  EXPECT_THAT(only("adapter_model.safetensors"), HasSubstr("found an adapter"));
  std::ofstream(folder_ + "/a.safetensors") << good;
  EXPECT_EQ(complaint(), "none");
  std::ofstream(folder_ + "/b.safetensors") << good;
  EXPECT_THAT(complaint(), HasSubstr("found a.safetensors, b.safetensors, expected model.safetensors"));
  std::ofstream(folder_ + "/model.safetensors") << good;  // the rule: this one goes before all others
  EXPECT_EQ(complaint(), "none");
  EXPECT_EQ(note_on_other_weights(folder_),
            "note: " + folder_ + ": read model.safetensors, not a.safetensors, b.safetensors\n");
}

TEST_F(CheckpointFolder, NoDamagedHeaderDoesMoreThanComplain) {
  write_checkpoint_folder(folder_, in_memory(unflatten(model_, initial_parameters(model_, 3))),
                          StoredType::bf16);
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
