#include <cublas_v2.h>
#include <fmt/format.h>

#include <stdexcept>

#include "sparse_llama/cluster/matrix_library.hpp"

namespace wafermark::llama {
namespace {

/// What NVIDIA recommends for Hopper (cublasSetWorkspace). Of our own: a graph cannot take memory, and sums
/// are the same bits on any stream.
constexpr std::size_t cublas_workspace = 32u << 20;

void expect_success(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(fmt::format("{}: {}", call, cublasGetStatusString(status)));
}

}  // namespace

struct MatrixLibrary::Handle {
  cublasHandle_t cublas = nullptr;
  Kokkos::View<unsigned char*, MemSpace> workspace{
      Kokkos::view_alloc("workspace of cuBLAS", Kokkos::WithoutInitializing), cublas_workspace};

  Handle() { expect_success(cublasCreate(&cublas), "cublasCreate"); }
  ~Handle() { cublasDestroy(cublas); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

bool MatrixLibrary::there() { return true; }
MatrixLibrary::MatrixLibrary() : handle_(std::make_unique<Handle>()) {}
MatrixLibrary::~MatrixLibrary() = default;

std::string MatrixLibrary::name() const {
  int version = 0;
  expect_success(cublasGetVersion(handle_->cublas, &version), "cublasGetVersion");
  return fmt::format("cuBLAS {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

void MatrixLibrary::multiply(const ExecSpace& space, const DenseProduct& p) {
  const cublasHandle_t cublas = handle_->cublas;
  expect_success(cublasSetStream(cublas, space.cuda_stream()),
                 "cublasSetStream");  // and forgets the workspace
  expect_success(cublasSetWorkspace(cublas, handle_->workspace.data(), cublas_workspace),
                 "cublasSetWorkspace");
  // cuBLAS has columns side by side, so it sees out as [count, vectors], rows and x as [columns, ...].
  const float one = 1, beta = p.accumulate ? 1 : 0;
  expect_success(
      cublasGemmEx(cublas, CUBLAS_OP_T, CUBLAS_OP_N, int(p.count), int(p.vectors), int(p.columns), &one,
                   p.rows, CUDA_R_16BF, int(p.columns), p.x, CUDA_R_16BF, int(p.columns), &beta, p.out,
                   CUDA_R_32F, int(p.stride), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
      "cublasGemmEx");
}

}  // namespace wafermark::llama
