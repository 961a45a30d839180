// How this run multiplies bf16 weights on CPUs that can do it in two ways: vdpbf16ps, two columns at once, is
// the faster one on AMD's CPUs and 2 to 3 times slower than fp32 products on Sapphire and Emerald Rapids.
#pragma once

#include <functional>
#include <string>

#include "common/communicator.hpp"
#include "sparse_llama/cluster/matrix_unit.hpp"
#include "sparse_llama/kernels/row_dots.hpp"

namespace wafermark::llama {

struct Bf16Choice {
  Bf16Products products = Bf16Products::fp32;
  std::string in_words = "fp32";  ///< "vdpbf16ps (an AMD CPU)"; for results
};

enum class CpuMaker { amd, intel, other };

/// `wanted`: "fp32", "pairs" or nothing; `pairs_there`: this program and the CPU of every rank have
/// vdpbf16ps. `speed_of_pairs` measures the rate by pairs in parts of that by fp32; asked only where neither
/// `wanted` nor the maker decides. Throws InputError where `wanted` is neither, or pairs are not there.
Bf16Choice choose_bf16_products(const std::string& wanted, bool pairs_there, CpuMaker maker,
                                const std::function<double()>& speed_of_pairs);

/// Of this run: by WAFERMARK_BF16_PRODUCTS and the CPU of rank 0. The same on all ranks; collective. Throws
/// InputError as above.
Bf16Choice choose_bf16_products(const Communicator& comm);

/// For results: the kernels that multiply one vector by such a matrix, and where it is a matrix unit many of
/// them. The choice is one of slices and single rows; tiles and listed columns are multiplied in fp32.
std::string instructions_for(const PackedMatrix& matrix, const Bf16Choice& bf16,
                             const MatrixUnit& unit = matrix_unit());

/// Whether this program and this CPU have vdpbf16ps.
bool has_bf16_pairs();

}  // namespace wafermark::llama
