#include "sparse_llama/model/blas_kernels.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>

#include "common/x86_questions.hpp"

extern "C" {
[[gnu::weak]] char* openblas_get_corename();
}

namespace wafermark::llama {
namespace {

constexpr const char* choice = "OPENBLAS_CORETYPE";

/// Names of OpenBLAS' x86-64 kernels (its cpuid_x86.c and dynamic.c), in lower case.
constexpr std::string_view kernels_of_256[] = {"haswell", "zen", "excavator"};
constexpr std::string_view kernels_of_128[] = {
    "generic",   "katmai",     "coppermine", "northwood",   "prescott",  "banias",     "core2",
    "penryn",    "dunnington", "nehalem",    "atom",        "athlon",    "opteron",    "opteron_sse3",
    "barcelona", "bobcat",     "nano",       "sandybridge", "bulldozer", "piledriver", "steamroller"};

std::string lower_case(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}
template <std::size_t n>
bool among(const std::string& name, const std::string_view (&names)[n]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

VectorWidth widest_vectors() {
#if defined(WAFERMARK_X86_QUESTIONS)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return VectorWidth::bits512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return VectorWidth::bits256;
#endif
  return VectorWidth::bits128;
}

std::string blas_kernels() {
  const char* name = openblas_get_corename != nullptr ? openblas_get_corename() : nullptr;
  return name != nullptr ? name : "";
}

std::optional<std::string> wider_blas_kernels(const std::string& found, VectorWidth widest) {
  const std::string name = lower_case(found);
  const bool narrow = among(name, kernels_of_128), middle = among(name, kernels_of_256);
  if (widest == VectorWidth::bits512 && (narrow || middle)) return "SKYLAKEX";
  if (widest == VectorWidth::bits256 && narrow) return "HASWELL";
  return std::nullopt;
}

bool crippled_blas(const std::string& found, VectorWidth widest) {
  return widest != VectorWidth::bits128 && among(lower_case(found), kernels_of_128);
}

std::string blas_description() {
  const std::string found = blas_kernels();
  if (found.empty()) return "not OpenBLAS";
  const auto wider = wider_blas_kernels(found, widest_vectors());
  return "OpenBLAS " + found +
         (wider ? fmt::format(", slower than this CPU allows ({}={})", choice, *wider) : std::string());
}

void start_again_with_wider_blas(char** argv) {
  if (std::getenv(choice) != nullptr) return;
  const auto wider = wider_blas_kernels(blas_kernels(), widest_vectors());
  if (!wider) return;
  setenv(choice, wider->c_str(), 1);
  execv("/proc/self/exe", argv);  // comes back only where it cannot: then as before
}

}  // namespace wafermark::llama
