// Which kernels the BLAS library took for this CPU. OpenBLAS chooses when it is loaded, and one that is older
// than the CPU takes kernels for a CPU with narrower vectors: SSE3 in the worst case, a quarter of the rate.
#pragma once

#include <optional>
#include <string>

namespace wafermark::llama {

enum class VectorWidth { bits128, bits256, bits512 };
/// Of this CPU, as far as BLAS kernels can use them (AVX2 with FMA; AVX-512 F, DQ, BW and VL).
VectorWidth widest_vectors();

/// OpenBLAS' name for its kernels, "SkylakeX" and the like; empty where the BLAS is another one.
std::string blas_kernels();

/// The value of OPENBLAS_CORETYPE with which kernels for so wide vectors are chosen; nothing where those
/// called `found` have them, or it is not known what they have.
std::optional<std::string> wider_blas_kernels(const std::string& found, VectorWidth widest);

/// Kernels for vectors of 128 bits where the CPU has wider ones: a quarter to a half of the rate, so that
/// ratios to what it computes mean nothing.
bool crippled_blas(const std::string& found, VectorWidth widest);

/// For results: the name, and whether the CPU could do more.
std::string blas_description();

/// Starts the program again with OPENBLAS_CORETYPE set where OpenBLAS chose narrower vectors than the CPU has
/// and nobody set it. For the beginning of main(): before MPI, files and threads.
void start_again_with_wider_blas(char** argv);

}  // namespace wafermark::llama
