// Products of packed rows and many vectors as the tensor cores of a device run them. Sparse rows are written
// out as dense ones, a panel of rows at a time, and the maker's library multiplies the panel: loaded as
// sparse, computed as dense (Flash-LLM, Xia et al. 2023; SpInfer, Fan et al. 2025). Dense bf16 rows go there
// as they are. Rows are not in slices or tiles.
//
// Vectors are rounded to bf16, int8 weights times their scales too: products are off by at most 2^-8 of the
// sum of the sizes of their terms, those of int8 by 2^-7. fp32 weights stay with the kernels that multiply
// them in fp32 (pair_products.hpp). Libraries have products of int8, but sum all columns as integers, where
// our scales belong to 128 columns.
#pragma once

#include "common/communicator.hpp"
#include "sparse_llama/cluster/matrix_library.hpp"
#include "sparse_llama/cluster/pair_products.hpp"

namespace wafermark::llama {

/// Vectors from which a batch is multiplied so. A tile of a tensor core is 8 or 16 wide; where it begins to
/// pay nobody has measured.
inline constexpr std::int64_t library_from = 16;

/// What multiplies batches and prompts on a device.
enum class BatchForm {
  warps,   ///< pair_products.hpp, as for one vector
  library  ///< this file, from library_from vectors on
};

/// By `wanted`, "warps" or "library"; where it is empty the library, if there is one. Throws InputError for
/// another word, and for a library that is not there.
BatchForm choose_batch_form(const std::string& wanted, bool library_there);
/// Of this run: by WAFERMARK_BATCH_PRODUCTS. The same on all ranks; collective. Throws as above. Simulated
/// workers are charged for warps.
BatchForm choose_batch_form(const Communicator& comm);

class BatchProducts {
 public:
  /// For at most so many vectors at once. A panel takes so many bytes where that is more than its least, 128
  /// rows; as given, the second cache of an H100 holds it, and it need not come back from memory.
  explicit BatchProducts(std::int64_t most_vectors, std::int64_t panel_bytes = 32 << 20)
      : most_vectors_(most_vectors), panel_bytes_(panel_bytes) {}

  /// Makes what multiply() works in large enough for matrices of this shape; to be called for all before any.
  void make_room(const PackedMatrix& matrix, PairEnd end);

  /// Whether so many vectors are multiplied so, by their number and the type of the values.
  static bool suits(const PackedMatrix& matrix, std::int64_t vectors);

  /// As multiply_pairs() does, but no sums of squares are left, and those of `in` are not read. A kernel for
  /// the vectors, one for each panel of rows that are not dense bf16, one for SwiGLU; between them calls of
  /// the library. This object must outlive a graph of them.
  void multiply(KernelChain& kernels, const PackedMatrix& matrix, const ProductInput& in,
                const ProductOutput& out);

  std::string library_name() const { return library_.name(); }

 private:
  std::int64_t rows_of_panel(const PackedMatrix& matrix) const;

  std::int64_t most_vectors_, panel_bytes_;
  MatrixLibrary library_;
  Kokkos::View<BFloat16*, MemSpace> x_, panel_;
  Kokkos::View<float*, MemSpace> gate_up_;
};

}  // namespace wafermark::llama
