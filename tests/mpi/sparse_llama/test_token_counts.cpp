// What one token starts and waits for, by the kernels that a device runs: launches, copies, waits,
// allocations. On a GPU a small model's token costs what these cost, so their numbers are held here.
// WAFERMARK_PRINT_COUNTS=1 test_llama_token_counts prints them by label.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "common/gpu_aware_mpi.hpp"
#include "kokkos_counts.hpp"
#include "reference_model.hpp"
#include "sparse_llama/cluster/decoder.hpp"

namespace wafermark::llama {
namespace {

constexpr std::int64_t layers = 3;
constexpr std::int64_t tokens = 4;
// Query, key and value with the norm before them; rope and the cache; attention; its output with the
// residual; gate, up and SwiGLU with the norm; down with the residual.
constexpr std::int64_t of_layer = 6;

Configuration model_of(Architecture architecture) {
  Configuration c{64, layers, 8, 4, 16, 160, 97, 600, 1e-5, 1e4, {}, false};
  c.architecture = architecture;
  return c;
}

struct Counts {
  std::int64_t kernels = 0, graphs = 0, copies = 0, waits = 0, allocations = 0;
};

struct TokenCounts : public ::testing::Test {
  Communicator comm;
  RegionTimes times;
  counts::KokkosWatch watch;
  std::int64_t sequences = 1;
  TokenChoice choice;
  std::optional<float> threshold;
  bool library = false;
  std::int64_t of_matrix = 0, of_head = 0;  ///< kernels that write out rows for it
  std::optional<double> hollow;             ///< the weights are sizes alone, as on a simulated cluster
  std::shared_ptr<DeviceSums> sums;         ///< none: MPI's

  /// Of passes with one token of each sequence behind `before` others.
  Counts of_tokens(const Configuration& c, Format format, ValueType type, std::int64_t before) {
    WeightSource source =
        checkpoint_source("random", std::make_shared<const DenseWeights>(random_model(c, 3)));
    source.hollow = hollow;
    const RankWeights weights = pack_rank_weights(comm, source, format, type, threshold, KernelForm::device);
    const ValueType cache = row_of(type).in_cache ? type : ValueType::bf16;
    Decoder decoder(comm, weights, sequences, 600, times, KernelForm::device, cache, sums);
    std::vector<TokenRow> prompt;
    std::vector<std::int64_t> last;
    for (std::int32_t s = 0; s < sequences; ++s) {
      for (std::int64_t p = 0; p < before; ++p) prompt.push_back({std::int32_t(p % 97), s, p});
      last.push_back(std::int64_t(prompt.size()) - 1);
    }
    const std::vector<TokenChoice> choices(std::size_t(sequences), choice);
    auto drawn = decoder.next_tokens(prompt, last, choices);
    // The first grows what it works in, and it or the second makes the graph.
    constexpr std::int64_t uncounted = 2;
    for (std::int64_t p = 0; p < tokens + uncounted; ++p) {
      if (p == uncounted) counts::calls.clear();
      counts::counting = p >= uncounted;
      std::vector<TokenRow> rows;
      std::vector<std::int64_t> wanted;
      for (std::int32_t s = 0; s < sequences; ++s) {
        rows.push_back({(*drawn)[std::size_t(s)], s, before + p});
        wanted.push_back(s);
      }
      drawn = decoder.next_tokens(rows, wanted, choices);
    }
    counts::counting = false;
    if (std::getenv("WAFERMARK_PRINT_COUNTS") != nullptr && comm.is_root())
      for (const auto& [label, n] : counts::calls)
        std::printf("%6.2f  %s\n", double(n) / double(tokens), label.c_str());
    return {counts::of_kind("kernel"),
            counts::calls["event graph of " + std::to_string(kernels() + calls()) + " kernels"],
            counts::of_kind("copy"), counts::of_kind("wait"), counts::of_kind("allocation")};
  }

  /// Of a token over ranks; to draw by weights all ranks' logits are joined by one more.
  std::int64_t sums_over_ranks() const {
    return comm.size() == 1 ? 0 : 2 * layers + 1 + (choice.temperature > 0 ? 1 : 0);
  }
  /// Kernels of a token. What ranks have summed is looked at again, but not where a library multiplies, and
  /// what they join is put in its place.
  std::int64_t kernels() const {
    if (library) return 1 + layers * (7 + 4 * of_matrix) + 2 + of_head;
    return 1 + layers * of_layer + 2 + sums_over_ranks();
  }
  /// Of a library, which Kokkos tells nobody of: one for each matrix of a layer, and for the head.
  std::int64_t calls() const { return library ? 4 * layers + 1 : 0; }
  /// For the token; where MPI sums, before each sum.
  std::int64_t waits() const { return 1 + (sums ? 0 : sums_over_ranks()); }

  /// To and from where MPI sums, unless it does so on the device; between kernels.
  std::int64_t copies() const { return sums || mpi_reads_device_memory() ? 0 : 2 * sums_over_ranks(); }

  /// A token is a graph on one rank that computes; else its kernels are started one by one.
  void expect(const Counts& n, const std::string& what = "") const {
    const bool graph =
        comm.size() == 1 && !hollow && graphs_take_teams && (calls() == 0 || graphs_take_calls);
    EXPECT_EQ(n.kernels, graph ? 0 : tokens * kernels()) << what;
    EXPECT_EQ(n.graphs, graph ? tokens : 0) << what;
    EXPECT_EQ(n.waits, tokens * waits()) << what;
    EXPECT_EQ(n.copies, tokens * copies()) << what;
    EXPECT_EQ(n.allocations, 0) << what;
  }
};

TEST_F(TokenCounts, OfEveryFormat) {
  for (const FormatRow& format : format_rows)
    for (const ValueType type : {ValueType::fp32, ValueType::bf16, ValueType::int8}) {
      if (format.kept < format.of) continue;  // the weights are dense
      expect(of_tokens(model_of(Architecture::llama), format.format, type, 5), format.name);
    }
}

TEST_F(TokenCounts, OfALongSequence) {
  expect(of_tokens(model_of(Architecture::llama), Format::bit_mask, ValueType::bf16, 300));
}

/// From one part of the sequence to two.
TEST_F(TokenCounts, OfASequenceThatGrows) {
  expect(of_tokens(model_of(Architecture::llama), Format::bit_mask, ValueType::bf16, 125));
}

TEST_F(TokenCounts, OfManySequencesAndOtherArchitectures) {
  sequences = 7;
  for (const Architecture architecture : {Architecture::llama, Architecture::qwen2, Architecture::qwen3})
    expect(of_tokens(model_of(architecture), Format::bit_mask, ValueType::int8, 5));
}

/// A batch that a library multiplies: its vectors in bf16 for each matrix, SwiGLU, and for each panel of rows
/// a kernel that writes them out. It allocates nothing and waits for nothing either.
TEST_F(TokenCounts, OfBatchesByALibrary) {
  if (!MatrixLibrary::there()) GTEST_SKIP() << "no library";
  sequences = 16;
  library = true;
  expect(of_tokens(model_of(Architecture::llama), Format::dense, ValueType::bf16, 5), "dense bf16");
  of_matrix = 1;
  for (const Format format : {Format::csr, Format::bit_mask})
    for (const ValueType type : {ValueType::bf16, ValueType::int8}) {
      of_head = type == ValueType::int8;  // it is dense
      expect(of_tokens(model_of(Architecture::qwen3), format, type, 5), row_of(format).name);
    }
}

/// fp32 stays with the warps.
TEST_F(TokenCounts, OfBatchesOfExactNumbers) {
  sequences = 16;
  expect(of_tokens(model_of(Architecture::llama), Format::bit_mask, ValueType::fp32, 5));
}

TEST_F(TokenCounts, OfDrawnTokens) {
  choice = {0.8, 0.9, 0.4};
  sequences = 3;
  expect(of_tokens(model_of(Architecture::llama), Format::dense, ValueType::bf16, 5));
}

/// Between kernels, as NCCL's are: the host waits for the token alone.
TEST_F(TokenCounts, OfRanksWhoseDevicesSum) {
  if (comm.size() == 1) GTEST_SKIP() << "nothing to sum";
  if (!host_reads_device) GTEST_SKIP() << "the library that stands in for NCCL sums in host memory";
  sums = device_sums(comm, FAKE_NCCL);
  ASSERT_EQ(sums->by().substr(0, 4), "NCCL");
  for (const double temperature : {0.0, 0.8}) {
    choice = {temperature, 0.9, 0.4};
    EXPECT_EQ(waits(), 1);
    expect(of_tokens(model_of(Architecture::llama), Format::bit_mask, ValueType::bf16, 5));
  }
}

TEST_F(TokenCounts, HollowWeightsStartTheSame) {
  if (!host_reads_device) GTEST_SKIP() << "their zeros are put by hosts";
  hollow = 0.5;
  for (const FormatRow& format : format_rows)
    for (const std::int64_t before : {5, 300})
      expect(of_tokens(model_of(Architecture::llama), format.format, ValueType::int8, before), format.name);
}

TEST_F(TokenCounts, OfInactiveUnits) {
  threshold = 0.05f;
  const Counts n = of_tokens(model_of(Architecture::llama), Format::bit_mask, ValueType::bf16, 5);
  EXPECT_LE(n.kernels, tokens * (kernels() + 2 * layers));
  EXPECT_EQ(n.waits, tokens * waits());
  EXPECT_EQ(n.allocations, 0);
}

}  // namespace
}  // namespace wafermark::llama
