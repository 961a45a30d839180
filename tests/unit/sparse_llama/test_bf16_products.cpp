// Which of two ways multiplies bf16 weights: the user's, else that of the CPU's maker, else the faster one.
#include <gmock/gmock.h>

#include <algorithm>

#include "common/errors.hpp"
#include "sparse_llama/cluster/bf16_products.hpp"

namespace wafermark::llama {
namespace {

Bf16Choice choice(const std::string& wanted, bool pairs_there, CpuMaker maker, double speed_of_pairs = -1) {
  return choose_bf16_products(wanted, pairs_there, maker, [&] {
    EXPECT_GT(speed_of_pairs, 0) << "measured without need";
    return speed_of_pairs;
  });
}

TEST(Bf16Choice, FollowsTheMaker) {
  EXPECT_EQ(choice("", true, CpuMaker::amd).products, Bf16Products::pairs);
  EXPECT_EQ(choice("", true, CpuMaker::amd).in_words, "vdpbf16ps (an AMD CPU)");
  EXPECT_EQ(choice("", true, CpuMaker::intel).products, Bf16Products::fp32);
  EXPECT_EQ(choice("", true, CpuMaker::intel).in_words, "fp32 (an Intel CPU)");
  EXPECT_EQ(choice("", false, CpuMaker::amd).products, Bf16Products::fp32);
}

TEST(Bf16Choice, MeasuresWhereTheMakerIsUnknown) {
  EXPECT_EQ(choice("", true, CpuMaker::other, 2.0).products, Bf16Products::pairs);
  EXPECT_EQ(choice("", true, CpuMaker::other, 1.1).products, Bf16Products::fp32);
  EXPECT_EQ(choice("", true, CpuMaker::other, 0.4).in_words, "fp32 (vdpbf16ps ran at 0.40 of fp32's rate)");
}

TEST(Bf16Choice, TheUserDecides) {
  for (const CpuMaker maker : {CpuMaker::amd, CpuMaker::intel, CpuMaker::other}) {
    EXPECT_EQ(choice("fp32", true, maker).products, Bf16Products::fp32);
    EXPECT_EQ(choice("pairs", true, maker).products, Bf16Products::pairs);
    EXPECT_EQ(choice("fp32", false, maker).products, Bf16Products::fp32);
    EXPECT_THROW(choice("pairs", false, maker), InputError);
    for (const char* wrong : {"bf16", "PAIRS", " ", "1"})
      EXPECT_THROW(choice(wrong, true, maker), InputError);
  }
}

TEST(Bf16Choice, IsNamedWhereItCounts) {
  const auto said = [](Format format, ValueType type, std::int64_t slice) {
    const RowSource ones = [](std::int64_t, float* to) { std::fill_n(to, 64, 1.0f); };
    return instructions_for(pack(16, 64, format, type, ones, "ones", slice),
                            choice("pairs", true, CpuMaker::amd));
  };
  const std::string own = host_instructions;
  EXPECT_EQ(said(Format::bit_mask, ValueType::bf16, slice_rows),
            own + ", bf16 by vdpbf16ps (WAFERMARK_BF16_PRODUCTS)");
  EXPECT_EQ(said(Format::dense, ValueType::bf16, tile_rows), own + ", bf16 by fp32");
  EXPECT_EQ(said(Format::csr, ValueType::bf16, 1), own + ", bf16 by fp32");
  EXPECT_EQ(said(Format::bit_mask, ValueType::int8, slice_rows), own);
}

TEST(Bf16Choice, OfThisCpuIsOneOfTheTwo) {
  const Bf16Choice own = choose_bf16_products(Communicator());
  EXPECT_TRUE(has_bf16_pairs() || own.products == Bf16Products::fp32) << own.in_words;
}

}  // namespace
}  // namespace wafermark::llama
