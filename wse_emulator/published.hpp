// Figures that others have published of such wafers, each once, with its source: what programs are compared
// with.
#pragma once

#include <array>
#include <cstdint>

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

/// A tile's words to all others of its row, measured on a CS-3: 1 KiB over 512 tiles, on the lower envelope
/// 20 + 9/8 words
/// + (tiles - 1) cycles of the measurements.
inline constexpr int row_multicast_tiles = 512, row_multicast_words = 256;
inline constexpr double row_multicast_cycles = 819;

/// Molecular dynamics, one atom on a tile, 801,792 atoms in slabs six cells thick: Santos et al., SC24 (arXiv
/// 2405.07898), on a CS-2 of 769 x 1044 tiles.
struct MetalSlab {
  const char* metal;
  double steps_per_second;
  int reach;  ///< b: a tile hears the (2 b + 1)^2 - 1 around it
};
inline constexpr std::array<MetalSlab, 3> metal_slabs{
    {{"Ta", 274016, 4}, {"Cu", 106313, 7}, {"W", 96140, 7}}};
/// The authors' cost model, which reproduces those within 3 %: a candidate, an interaction, a step.
inline constexpr double candidate_ns = 26.6, interaction_ns = 71.4, step_ns = 574.0;
/// Later versions of the same work on Ta: 800,000 atoms with lists that serve several steps, symmetric forces
/// and a shorter fixed part; 200,000 atoms on about four tiles each (arXiv 2411.10532).
inline constexpr double later_steps_per_second = 699000, four_tiles_steps_per_second = 1144000;

/// WaferLLM (He et al., OSDI'25), table 6: [1, n] x [n, n] in fp16 on a WSE-2, 1.2 and 2.03 us at the 1.1 GHz
/// at which its code turns cycles into time. The number of tiles is not given; its figures go up to 720 x
/// 720.
struct VectorProduct {
  int n;
  double cycles;
};
inline constexpr std::array<VectorProduct, 2> vector_products{{{16384, 1320}, {32768, 2233}}};
inline constexpr int vector_product_tiles = 720;
/// WaferLLM: tokens/s of one sequence behind 4,096 tokens, on so many tiles squared: one layer was measured
/// and taken as often as the model has layers, at 1.1 GHz; without the output head. That layer has one head
/// and as many key/value dimensions as others (Llama3-8B: dimension 4,200, hidden 14,700).
struct LlamaDecode {
  int tiles;
  double tokens_per_second;
};
inline constexpr std::array<LlamaDecode, 3> llama3_8b_decodes{{{420, 2700}, {540, 2501}, {660, 2243}}},
    llama2_13b_decodes{{{420, 2039}, {540, 1899}, {660, 1740}}};
/// And of prompts of 4,096 tokens.
struct LlamaPrefill {
  int tiles;
  double tokens_per_second;
};
inline constexpr std::array<LlamaPrefill, 3> llama3_8b_prefills{{{480, 20321}, {600, 25037}, {720, 27687}}};
inline constexpr std::int64_t llama_context = 4096;
/// At which WaferLLM turns cycles into time.
inline constexpr double waferllm_clock_mhz = 1100;

}  // namespace wafermark::wse::published
