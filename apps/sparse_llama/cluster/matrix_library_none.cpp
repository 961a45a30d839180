// A device without a library: there() says so, and nobody makes one.
#include <stdexcept>

#include "sparse_llama/cluster/matrix_library.hpp"

namespace wafermark::llama {

struct MatrixLibrary::Handle {};

bool MatrixLibrary::there() { return false; }
MatrixLibrary::MatrixLibrary() { throw std::runtime_error("this build has no library of matrix products"); }
MatrixLibrary::~MatrixLibrary() = default;
std::string MatrixLibrary::name() const { return "none"; }
void MatrixLibrary::multiply(const ExecSpace&, const DenseProduct&) {}

}  // namespace wafermark::llama
