// BLAS: multiplies in fp32 what a tensor core has as bf16, to the same sums but for their order. Kernels of a
// host have ended when their call returns, so there is nothing to wait for.
#include <vector>

#include "sparse_llama/cluster/matrix_library.hpp"
#include "sparse_llama/model/blas_kernels.hpp"
#include "sparse_llama/model/matrix_product.hpp"

namespace wafermark::llama {

struct MatrixLibrary::Handle {
  std::vector<float> rows, x;
};

bool MatrixLibrary::there() { return true; }
MatrixLibrary::MatrixLibrary() : handle_(std::make_unique<Handle>()) {}
MatrixLibrary::~MatrixLibrary() = default;

std::string MatrixLibrary::name() const { return "BLAS in place of a device's library"; }

void MatrixLibrary::multiply(const ExecSpace&, const DenseProduct& p) {
  const KernelScope scope;
  handle_->rows.assign(p.rows, p.rows + p.count * p.columns);
  handle_->x.assign(p.x, p.x + p.vectors * p.columns);
  shared_product(Op::none, Op::transpose, p.vectors, p.count, p.columns, 1.0f, handle_->x.data(), p.columns,
                 handle_->rows.data(), p.columns, p.accumulate ? 1.0f : 0.0f, p.out, p.stride);
}

}  // namespace wafermark::llama
