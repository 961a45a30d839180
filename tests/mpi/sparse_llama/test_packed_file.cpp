// Packed weights come back from their file as they were; damaged files give the same one line on all ranks.
#include <gmock/gmock.h>

#include <cstring>
#include <memory>
#include <random>

#include "../scratch_folder.hpp"
#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "reference_model.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/cluster/packed_file.hpp"

namespace wafermark::llama {
namespace {

using testing::HasSubstr;

struct PackedFile : testing::Test {
  RankWeights sample(Format format, ValueType type, Architecture architecture = Architecture::llama) const {
    Configuration c{24, 2, 4, 4, 6, 40, 19, 16, 1e-5, 1e4, {8, 1, 4, 16}, false};
    c.architecture = architecture;
    c.sliding_window = architecture == Architecture::mistral ? 2 : 0;
    DenseWeights dense = random_model(c, 3);
    for (DenseLayer& layer : dense.layers)  // two of four, so that every format holds it
      for (DenseMatrix* m : {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.gate,
                             &layer.up, &layer.down})
        for (std::size_t i = 0; i < m->values.size(); ++i)
          if (i % 4 < 2) m->values[i] = 0;
    return pack_rank_weights(
        comm, checkpoint_source("random", std::make_shared<const DenseWeights>(std::move(dense))), format,
        type);
  }
  std::vector<float> logits(const RankWeights& weights) const {
    RegionTimes times;
    Decoder decoder(comm, weights, 1, 4, times);
    const std::vector<TokenRow> rows{{1, 0, 0}, {7, 0, 1}, {18, 0, 2}};
    return decoder.forward(rows, std::vector<std::int64_t>{0, 2});
  }
  /// "" or the message, the same one line on all ranks, of reading the file with this content.
  std::string error_of(const std::string& content) const {
    std::string message;
    try {
      read_packed(comm, folder.write("damaged.h5", content));
    } catch (const InputError& e) {
      message = e.what();
    }
    std::string root = message;
    comm.broadcast(root);
    EXPECT_EQ(message, root) << "ranks disagree";
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  /// The message after one attribute or array of a good file became another.
  template <class Change>
  std::string error_after(Format format, ValueType type, const Change& change) const {
    write_packed(comm, folder / "changed.h5", sample(format, type));
    {
      Hdf5File file = Hdf5File::open_to_append(comm, folder / "changed.h5");
      change(file);
    }
    return error_of(folder.content("changed.h5"));
  }

  Communicator comm;
  ScratchFolder folder{comm};
};

TEST_F(PackedFile, GivesTheWeightsBack) {
  for (const FormatRow& format : format_rows)
    for (const ValueRow& value : value_rows) {
      if (!holds(format.format, value.type)) continue;
      const RankWeights weights = sample(format.format, value.type);
      write_packed(comm, folder / "a.h5", weights);
      EXPECT_EQ(logits(read_packed(comm, folder / "a.h5")), logits(weights))
          << format.name << " " << value.name;
    }
}

TEST_F(PackedFile, GivesOtherArchitecturesBack) {
  for (const Architecture architecture : {Architecture::mistral, Architecture::qwen2, Architecture::qwen3}) {
    const RankWeights weights = sample(Format::bit_mask, ValueType::bf16, architecture),
                      plain = sample(Format::bit_mask, ValueType::bf16);
    write_packed(comm, folder / "a.h5", weights);
    EXPECT_EQ(logits(read_packed(comm, folder / "a.h5")), logits(weights));
    EXPECT_NE(logits(weights), logits(plain));
  }
}

TEST_F(PackedFile, NamesTheSizesThatDoNotFit) {
  const auto with_size = [&](std::size_t index, std::int64_t value) {
    return error_after(Format::bit_mask, ValueType::bf16, [&](Hdf5File& file) {
      auto sizes = file.attribute_list<std::int64_t>("/", "sizes");
      sizes[index] = value;
      file.set_attribute("/", "sizes", sizes);
    });
  };
  EXPECT_THAT(with_size(0, -24), HasSubstr("damaged.h5: found dim -24, expected 1 to"));
  EXPECT_THAT(with_size(0, 32), HasSubstr("columns: found 24, expected 32"));
  EXPECT_THAT(with_size(1, 3), HasSubstr("/layers/2/query_key_value"));
  EXPECT_THAT(with_size(1, std::int64_t(1) << 40), HasSubstr("found layers 1099511627776, expected 1 to"));
  EXPECT_THAT(with_size(2, 8), HasSubstr("rows: found"));
  EXPECT_THAT(with_size(3, 3), HasSubstr("4 heads of 6 over 3 key/value heads"));
  EXPECT_THAT(with_size(5, 48), HasSubstr("rows: found"));
  EXPECT_THAT(with_size(6, 99999999), HasSubstr("found vocabulary 99999999, expected 1 to"));
}

TEST_F(PackedFile, NamesTheArraysThatDoNotFit) {
  const std::string down = "/layers/1/down";
  const auto with_number = [&](const char* name, std::int64_t number) {
    return error_after(Format::bit_mask, ValueType::int8,
                       [&](Hdf5File& file) { file.set_attribute(down, name, number); });
  };
  EXPECT_THAT(with_number("format", 4), HasSubstr(down + ": format: found 4, expected 0 to 3"));
  EXPECT_THAT(with_number("value", -1), HasSubstr(down + ": value: found -1, expected 0 to 3"));
  EXPECT_THAT(with_number("format", std::int64_t(Format::dense)), HasSubstr(down + ": "));
  EXPECT_THAT(with_number("format", std::int64_t(Format::csr)), HasSubstr(down + ": "));
  EXPECT_THAT(with_number("value", std::int64_t(ValueType::bf16)),
              HasSubstr(down + ": bytes of values: found"));
}

/// Arrays whose numbers were changed with their checksums, as a hostile writer would.
TEST(PackedMatrix, ArraysThatDoNotBelongTogether) {
  const auto matrix = [](Format format, ValueType type, std::int64_t masked_slice = slice_rows) {
    return pack(
        6, 130, format, type,
        [](std::int64_t r, float* out) {
          for (std::int64_t j = 0; j < 130; ++j) out[j] = (j + r) % 3 == 0 ? 1.0f : 0.0f;
        },
        "m", format == Format::csr || format == Format::dense ? 1 : masked_slice);
  };
  const auto error_of = [](const PackedMatrix& m, std::int64_t rows = 6, std::int64_t columns = 130) {
    try {
      expect_consistent(m, rows, columns, "m");
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const auto set = [](const auto& view, std::size_t i, auto value) {
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
    host(i) = value;
    Kokkos::deep_copy(view, host);
  };
  const auto masked = [&] { return matrix(Format::bit_mask, ValueType::int8); };
  const auto csr = [&] { return matrix(Format::csr, ValueType::int8); };
  EXPECT_EQ(error_of(masked()), "");
  EXPECT_EQ(error_of(matrix(Format::bit_mask, ValueType::int8, tile_rows)), "");
  EXPECT_EQ(error_of(csr()), "");
  for (const std::int64_t slice : {std::int64_t(1), std::int64_t(slice_rows), std::int64_t(tile_rows)})
    EXPECT_EQ(error_of(matrix(Format::bit_mask, ValueType::int4, slice)), "") << slice;
  EXPECT_EQ(error_of(matrix(Format::dense, ValueType::int4)), "");
  EXPECT_EQ(error_of(matrix(Format::dense, ValueType::int8)), "");
  EXPECT_THAT(error_of(masked(), 7), HasSubstr("m: rows: found 6, expected 7"));
  EXPECT_THAT(error_of(masked(), 6, 131), HasSubstr("m: columns: found 130, expected 131"));
  PackedMatrix m = masked();
  set(m.mask, 4, ~MaskWord(0));
  EXPECT_THAT(error_of(m), HasSubstr("m: bits of a slice: found"));
  m = masked();
  set(m.slice_start, 0, 1);
  EXPECT_THAT(error_of(m), HasSubstr("m: first slice start: found 1, expected 0"));
  m = masked();
  set(m.slice_start, 1, std::int64_t(1) << 40);
  EXPECT_THAT(error_of(m), HasSubstr("values in slice 0, expected 0 to 520"));
  m = masked();
  m.slice = 2;
  EXPECT_THAT(error_of(m), HasSubstr("m: rows of a slice: found 2, expected 1"));
  m = masked();
  m.slice = 1;
  EXPECT_THAT(error_of(m), HasSubstr("m: mask words: found 24, expected 18"));
  m = masked();
  m.stored -= 1;
  EXPECT_THAT(error_of(m), HasSubstr("m: bytes of values: found"));
  m = matrix(Format::bit_mask, ValueType::int8, tile_rows);
  set(m.mask, 0, MaskWord(0));
  EXPECT_THAT(error_of(m), HasSubstr("m: bits of a slice: found"));
  m = matrix(Format::bit_mask, ValueType::int8, tile_rows);
  m.slice = slice_rows;
  EXPECT_THAT(error_of(m), HasSubstr("m: mask words: found 48, expected 24"));
  m = matrix(Format::bit_mask, ValueType::int4, tile_rows);
  set(m.mask, 0, ~MaskWord(0));
  EXPECT_THAT(error_of(m), HasSubstr("m: bytes of a slice: found"));
  m = matrix(Format::bit_mask, ValueType::int4, tile_rows);
  set(m.slice_start, 1, std::int64_t(7));
  EXPECT_THAT(error_of(m), HasSubstr("m: bytes of values: found"));
  m = matrix(Format::bit_mask, ValueType::int4, tile_rows);
  m.stored += 1;
  EXPECT_THAT(error_of(m), HasSubstr("m: stored values: found"));
  m = csr();
  m.value_type = ValueType::int4;
  EXPECT_EQ(error_of(m), "m: found int4 for csr, expected fp32, bf16, int8");
  m = csr();
  set(m.column, 5, std::uint16_t(130));
  EXPECT_THAT(error_of(m), HasSubstr("m: found column number 130, expected less than 130"));
  m = csr();
  set(m.scale_start, 2, 9);
  EXPECT_THAT(error_of(m), HasSubstr("m: scales of a row: found"));
  m = csr();
  m.scales = Kokkos::View<BFloat16*, MemSpace>("none", 0);
  EXPECT_THAT(error_of(m), HasSubstr("m: scales: found 0"));
}

TEST_F(PackedFile, NoDamagedByteDoesMoreThanComplain) {
  std::mt19937 random(1);
  for (const ValueType type : {ValueType::int8, ValueType::int4}) {
    write_packed(comm, folder / "a.h5", sample(Format::bit_mask, type));
    const std::string good = folder.content("a.h5");
    for (int k = 0; k < 150; ++k) {
      std::string damaged = good;
      for (int flips = 0; flips < 3; ++flips) damaged[random() % good.size()] = char(random() & 0xff);
      error_of(damaged);
    }
    for (std::size_t n = 0; n < good.size(); n += good.size() / 20)
      EXPECT_NE(error_of(good.substr(0, n)), "") << n << " bytes";
  }
}

}  // namespace
}  // namespace wafermark::llama
