// Figures that others have published of such wafers, each once, with its source: what programs are compared
// with.
#pragma once

#include <array>

namespace wafermark::wse::published {

struct Figure {
  const char* what;
  double value;
  const char* unit;
  const char* machine;  ///< its name in inputs/wafers
  const char* source;
};

inline constexpr Figure stencil25_step{
    "25-point stencil, 755 x 994 x 1000 cells, a step", 76.1, "us", "wse2",
    "Jacquelin, Araya-Polo, Meng, SC22 (arXiv 2204.03775): fp32, order 8 in space, a column a tile"};

inline constexpr Figure matrix_product_rate{
    "fp32 product, 33,000 x 33,000 on 750 x 750 tiles", 349.0, "TFLOP/s", "wse2",
    "Miyajima, Matsuzaki, Mukunoki, J. Inf. Proc. 34 (2026) 132, doi 10.2197/ipsjjip.34.132"};

/// Of the first generation, whose tiles and fabric are described as those of the second; its clock is not
/// published.
inline constexpr Figure bicgstab_rate{"BiCGStab, 7 points, 600 x 595 x 1536 cells", 0.86, "PFLOP/s", "wse2",
                                      "Rocki et al., SC20 (arXiv 2010.03660), CS-1: fp16 with fp32 sums"};
inline constexpr Figure all_reduce_most{"all-reduce over about 380,000 tiles, at most", 1.5, "us", "wse2",
                                        "Rocki et al., SC20 (arXiv 2010.03660), CS-1"};

/// Two-phase reductions of 4,096 words over 512 tiles, by group size: Luczynski et al., HPDC'24, on a CS-2.
struct Reduction {
  int group;
  double cycles;
};
inline constexpr int reduction_tiles = 512, reduction_words = 4096;
inline constexpr std::array<Reduction, 5> two_phase_reductions{
    {{2, 10055}, {8, 9117}, {32, 8973}, {128, 9297}, {512, 7218}}};

}  // namespace wafermark::wse::published
