// Llama with streamed weights on the emulated wafer: the native target's logits, the same bits on any number
// of ranks, and books that are counted a second time.
#include <gmock/gmock.h>

#include <numeric>

#include "common/errors.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/wafer/streamed_pass.hpp"
#include "wafer_model.hpp"

namespace wafermark::llama {
namespace {

StreamedSettings streamed_settings(Format format, ValueType type, int groups = 0,
                                   TileSums sums = TileSums::half) {
  StreamedSettings s;
  s.format = format;
  s.value_type = type;
  s.tile_sums = sums;
  s.density = 0.3;
  s.tokens = 2 * std::int64_t(text.size());
  s.sequences = 2;
  s.kept = 64;
  s.groups = groups;
  return s;
}

std::vector<TokenRow> two_sequences() {
  std::vector<TokenRow> rows = rows_of(0);
  const std::vector<TokenRow> other = rows_of(1);
  rows.insert(rows.end(), other.begin(), other.end());
  return rows;
}

double largest_error(const std::vector<float>& logits, const std::vector<float>& exact) {
  EXPECT_EQ(logits.size(), exact.size());
  double worst = 0, spread = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    worst = std::max(worst, std::abs(double(logits[i]) - double(exact[i])));
    spread = std::max(spread, std::abs(double(exact[i])));
  }
  return worst / spread;
}

TEST(StreamedPass, GivesTheNativeTargetsLogitsOnAnyTiles) {
  const Communicator comm, alone(MPI_COMM_SELF);
  for (const Configuration& c : {grouped(), tied()}) {
    const Model model(c, 0.3);
    RegionTimes times;
    const RankWeights weights = pack_rank_weights(alone, model.source, Format::bit_mask, ValueType::fp32);
    Decoder native(alone, weights, 2, 32, times);
    const std::vector<float> exact = native.forward(two_sequences(), all(2 * text.size()));
    for (const auto& [grid, groups] :
         {std::pair(wse::TileGrid{8, 8}, 1), std::pair(wse::TileGrid{8, 8}, 3),
          std::pair(wse::TileGrid{100, 5}, 1), std::pair(wse::TileGrid{5, 40}, 5)})
      for (const auto& [type, sums, tolerance] : {std::tuple(ValueType::fp32, TileSums::half, 1e-5),
                                                  std::tuple(ValueType::bf16, TileSums::single, 0.03),
                                                  std::tuple(ValueType::bf16, TileSums::half, 0.03)})
        for (const Format format : {Format::dense, Format::bit_mask}) {
          StreamedPass wafer(comm, model.source, machine(), grid,
                             streamed_settings(format, type, groups, sums), 32);
          EXPECT_LT(largest_error(wafer.forward(two_sequences(), all(2 * text.size())), exact), tolerance)
              << grid.width << " x " << grid.height << ", " << groups << " groups, " << name_of(type);
        }
  }
}

TEST(StreamedPass, GoesOnWithWhatItHasKept) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const StreamedSettings s = streamed_settings(Format::bit_mask, ValueType::fp32);
  StreamedPass together(comm, model.source, machine(), {9, 7}, s, 32),
      by_turns(comm, model.source, machine(), {9, 7}, s, 32);
  const std::vector<TokenRow> rows = rows_of();
  const std::vector<float> whole = together.forward(rows, std::vector{std::int64_t(rows.size()) - 1});
  std::vector<float> last;
  for (const TokenRow& row : rows) last = by_turns.forward(std::span(&row, 1), std::vector<std::int64_t>{0});
  EXPECT_LT(largest_error(last, whole), 1e-5);
  EXPECT_GT(by_turns.seconds(), 3 * together.seconds());  // weights come once for each pass
}

TEST(StreamedPass, WhatIsWorkedOutDoesNotChangeTheClocks) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const StreamedSettings s = streamed_settings(Format::bit_mask, ValueType::bf16);
  const std::vector<std::int64_t> wanted{4, 23};
  StreamedPass whole(comm, model.source, machine(), {8, 8}, s, 32),
      part(comm, model.source, machine(), {8, 8}, s, 32), none(comm, model.source, machine(), {8, 8}, s, 32);
  const std::vector<float> logits = whole.forward(two_sequences(), wanted),
                           of_five = part.forward(two_sequences(), wanted, 5);
  ASSERT_EQ(of_five.size(), std::size_t(grouped().vocabulary));
  EXPECT_TRUE(std::equal(of_five.begin(), of_five.end(), logits.begin()));
  EXPECT_TRUE(none.forward(two_sequences(), wanted, 0).empty());
  for (const StreamedPass* other : {&part, &none}) {
    EXPECT_EQ(other->executor().reached(), whole.executor().reached());
    EXPECT_EQ(other->executor().operations(), whole.executor().operations());
    EXPECT_EQ(other->executor().word_hops(), whole.executor().word_hops());
  }
}

TEST(StreamedPass, IsTheSameForEverySplitOverRanks) {
  const Communicator comm, alone(MPI_COMM_SELF);
  const Model model(grouped(), 0.3);
  for (const int groups : {1, 2}) {
    const StreamedSettings s = streamed_settings(Format::bit_mask, ValueType::bf16, groups);
    StreamedPass parts(comm, model.source, machine(), {8, 8}, s, 32),
        whole(alone, model.source, machine(), {8, 8}, s, 32);
    EXPECT_EQ(parts.forward(two_sequences(), all(24)), whole.forward(two_sequences(), all(24)));
    EXPECT_EQ(parts.executor().reached(), whole.executor().reached());
    EXPECT_EQ(parts.executor().operations(), whole.executor().operations());
    EXPECT_EQ(parts.executor().word_hops(), whole.executor().word_hops());
    EXPECT_EQ(parts.sparsity(), whole.sparsity());
  }
}

TEST(StreamedPass, BooksEveryCycleWordAndMultiplyAdd) {
  const Communicator comm;
  const Configuration c = grouped();
  const Model model(c, 0.3);
  for (const Format format : {Format::dense, Format::bit_mask})
    for (const int groups : {1, 2}) {
      const StreamedSettings s = streamed_settings(format, ValueType::bf16, groups);
      StreamedPass wafer(comm, model.source, machine(), {8, 8}, s, 32);
      wafer.forward(two_sequences(), all(24));
      const wse::RegionExecutor& books = wafer.executor();
      double sum = 0, clocks = 0;
      for (const auto& phase : books.record().summarize()) sum += phase.mean * 64;
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) clocks += double(books.clocks().at(x, y));
      EXPECT_NEAR(sum, clocks, 1e-9 * clocks);

      // Stored weights meet the tokens of every row of tiles of every group; a score meets a key and a value.
      const wse::Block area = wafer.place().area();
      const std::int64_t weights =
          c.dim * (c.query_dim() + 2 * c.kv_dim()) + c.query_dim() * c.dim + 3 * c.dim * c.hidden;
      std::int64_t stored = 0;
      each_tensor(model.dense, [&](const std::string& name, const auto& tensor) {
        if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>)
          if (name.starts_with("model.layers."))
            stored +=
                std::count_if(tensor.values.begin(), tensor.values.end(), [](float w) { return w != 0; });
      });
      if (format == Format::dense) stored = weights * c.layers;
      const std::int64_t tokens = divided_up(24, groups * area.height), copies = groups * area.height;
      const std::int64_t scores = divided_up(2 * 78 * c.heads, area.tiles());
      EXPECT_EQ(books.operations()[wse::Operation::half_fma],
                (stored + c.vocabulary * c.dim) * tokens * copies +
                    c.layers * scores * area.tiles() * 2 * c.head_dim);

      // A sum passes all links of a row once; what its keeper gets goes back from the eastern end.
      const auto of_link = [&](wse::Link link) {
        const auto& words = books.link_words().of(link);
        return comm.sum(std::accumulate(words.begin(), words.end(), std::int64_t{0}));
      };
      const std::int64_t outputs =
          c.layers * (c.query_dim() + 2 * c.kv_dim() + 2 * c.dim + 2 * c.hidden) + c.vocabulary;
      const std::int64_t sums_east = outputs * tokens * (area.width - groups) * area.height;
      EXPECT_GE(of_link(wse::Link::east), sums_east);
      EXPECT_LE(of_link(wse::Link::west), of_link(wse::Link::east));
      // Weights go down all rows; keys and values go round them.
      const double of_weights = double(stored) * s.weight_words() + double(c.vocabulary * c.dim) / 2;
      const double down =
          of_weights * groups * 7 + double(c.layers * wafer.items().circulating / 2) * double(area.width) *
                                        double(area.height - area.height / wafer.items().sequence_rows);
      EXPECT_NEAR(double(of_link(wse::Link::south)), down, 0.02 * down);
    }
}

TEST(StreamedPass, RefusesWhatTilesDoNotHold) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  const auto message = [&](StreamedSettings s) -> std::string {
    try {
      StreamedPass(comm, model.source, machine(), {8, 8}, s, 32);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(message(streamed_settings(Format::bit_mask, ValueType::int8)),
              testing::HasSubstr("expected fp32, bf16"));
  EXPECT_THAT(message(streamed_settings(Format::csr, ValueType::bf16)), testing::HasSubstr("expected dense"));
  EXPECT_THAT(message(streamed_settings(Format::bit_mask, ValueType::bf16, 9)),
              testing::HasSubstr("expected at most 8"));
  StreamedSettings many = streamed_settings(Format::bit_mask, ValueType::bf16);
  many.tokens = 1 << 20;
  EXPECT_THAT(message(many), testing::AllOf(testing::HasSubstr("stream"), testing::HasSubstr("49152")));
}

}  // namespace
}  // namespace wafermark::llama
