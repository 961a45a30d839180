#include "sparse_llama/cluster/matrix_unit.hpp"

#include <stdexcept>

#include "sparse_llama/kernels/gpu_compiler.hpp"
#include "sparse_llama/kernels/tile_dots.hpp"

#if defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && defined(__linux__) && \
    !defined(WAFERMARK_GPU_COMPILER)
#include <cpuid.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sparse_llama/cluster/unit_check.hpp"
#include "sparse_llama/cluster/unit_products.hpp"

namespace wafermark::llama {
namespace {

bool cpu_has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned bf16 = 1u << 22, tiles = 1u << 24, int8 = 1u << 25, all = bf16 | tiles | int8;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & all) == all;
}

/// Linux gives the room for these registers to processes that ask for it (5.16 and later).
bool linux_allows_amx() {
  constexpr int request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

template <class Value>
bool computes(const char* type, std::string& in_words) {
  for (const std::int64_t vectors : {16, 17, 40})
    for (const std::int64_t words : {2, 5})
      if (const std::string wrong = first_difference<amx::Unit>(UnitSample<Value>(words, vectors, 0.3));
          !wrong.empty()) {
        in_words += fmt::format(", which computed {} wrong and is not used for it: {}", type, wrong);
        return false;
      }
  return true;
}

MatrixUnit find_matrix_unit() {
  if (!cpu_has_amx()) return {false, false, false, "this CPU has no AMX"};
  if (!linux_allows_amx()) return {false, false, false, "the operating system does not allow AMX"};
  MatrixUnit unit{true, false, false, "AMX"};
  unit.int8 = computes<std::int8_t>("int8", unit.in_words);
  unit.bf16 = computes<BFloat16>("bf16", unit.in_words);
  return unit;
}

}  // namespace

const MatrixUnit& matrix_unit() {
  static const MatrixUnit found = find_matrix_unit();
  return found;
}

template <class Value>
void multiply_by_matrix_unit(const PackedMatrix& matrix, const float* x, std::int64_t x_stride,
                             std::int64_t vectors, bool accumulate, float* out, std::int64_t stride,
                             std::int8_t* bytes, float* scales) {
  multiply_by_unit<Value, amx::Unit>(matrix, x, x_stride, vectors, accumulate, out, stride, bytes, scales);
}

std::int64_t room_for_unit(const PackedMatrix& matrix, std::int64_t vectors) {
  return amx::UnitBlocks(vectors).bytes(steps_of(matrix));
}

}  // namespace wafermark::llama
#else
namespace wafermark::llama {

const MatrixUnit& matrix_unit() {
  static const MatrixUnit none{false, false, false, "this program has no kernels for AMX"};
  return none;
}

template <class Value>
void multiply_by_matrix_unit(const PackedMatrix&, const float*, std::int64_t, std::int64_t, bool, float*,
                             std::int64_t, std::int8_t*, float*) {
  throw std::logic_error("no matrix unit");
}

std::int64_t room_for_unit(const PackedMatrix&, std::int64_t) { return 0; }

}  // namespace wafermark::llama
#endif

namespace wafermark::llama {
template void multiply_by_matrix_unit<std::int8_t>(const PackedMatrix&, const float*, std::int64_t,
                                                   std::int64_t, bool, float*, std::int64_t, std::int8_t*,
                                                   float*);
template void multiply_by_matrix_unit<BFloat16>(const PackedMatrix&, const float*, std::int64_t, std::int64_t,
                                                bool, float*, std::int64_t, std::int8_t*, float*);
}  // namespace wafermark::llama
