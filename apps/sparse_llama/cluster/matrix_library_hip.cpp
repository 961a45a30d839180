#include <fmt/format.h>
#include <rocblas/rocblas.h>

#include <stdexcept>

#include "sparse_llama/cluster/matrix_library.hpp"

namespace wafermark::llama {
namespace {

/// As much as cuBLAS has. Of our own: a graph cannot take memory.
constexpr std::size_t rocblas_workspace = 32u << 20;

void expect_success(rocblas_status status, const char* call) {
  if (status != rocblas_status_success)
    throw std::runtime_error(fmt::format("{}: {}", call, rocblas_status_to_string(status)));
}

}  // namespace

struct MatrixLibrary::Handle {
  rocblas_handle rocblas = nullptr;
  Kokkos::View<unsigned char*, MemSpace> workspace{
      Kokkos::view_alloc("workspace of rocBLAS", Kokkos::WithoutInitializing), rocblas_workspace};

  Handle() {
    expect_success(rocblas_create_handle(&rocblas), "rocblas_create_handle");
    expect_success(rocblas_set_workspace(rocblas, workspace.data(), rocblas_workspace),
                   "rocblas_set_workspace");
  }
  ~Handle() { rocblas_destroy_handle(rocblas); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

bool MatrixLibrary::there() { return true; }
MatrixLibrary::MatrixLibrary() : handle_(std::make_unique<Handle>()) {}
MatrixLibrary::~MatrixLibrary() = default;

std::string MatrixLibrary::name() const {
  return fmt::format("rocBLAS {}.{}.{}", ROCBLAS_VERSION_MAJOR, ROCBLAS_VERSION_MINOR, ROCBLAS_VERSION_PATCH);
}

void MatrixLibrary::multiply(const ExecSpace& space, const DenseProduct& p) {
  const rocblas_handle rocblas = handle_->rocblas;
  expect_success(rocblas_set_stream(rocblas, space.hip_stream()), "rocblas_set_stream");
  // rocBLAS has columns side by side, so it sees out as [count, vectors], rows and x as [columns, ...].
  const float one = 1, beta = p.accumulate ? 1 : 0;
  expect_success(rocblas_gemm_ex(rocblas, rocblas_operation_transpose, rocblas_operation_none, int(p.count),
                                 int(p.vectors), int(p.columns), &one, p.rows, rocblas_datatype_bf16_r,
                                 int(p.columns), p.x, rocblas_datatype_bf16_r, int(p.columns), &beta, p.out,
                                 rocblas_datatype_f32_r, int(p.stride), p.out, rocblas_datatype_f32_r,
                                 int(p.stride), rocblas_datatype_f32_r, rocblas_gemm_algo_standard, 0, 0),
                 "rocblas_gemm_ex");
}

}  // namespace wafermark::llama
