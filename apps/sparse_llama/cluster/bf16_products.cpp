#include "sparse_llama/cluster/bf16_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/environment.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"
#include "common/runtime.hpp"
#include "common/x86_questions.hpp"

namespace wafermark::llama {
namespace {

constexpr const char* bf16_variable = "WAFERMARK_BF16_PRODUCTS";
constexpr const char* pairs_instruction = "vdpbf16ps";

CpuMaker maker_of_cpu() {
#if defined(WAFERMARK_X86_QUESTIONS)
  __builtin_cpu_init();
  if (__builtin_cpu_is("amd")) return CpuMaker::amd;
  if (__builtin_cpu_is("intel")) return CpuMaker::intel;
#endif
  return CpuMaker::other;
}

/// Seconds of some slices in the first cache times a vector, the least of a few tries.
template <Bf16Products products>
double seconds_of_slices() {
  constexpr std::int64_t words = 32, tries = 5, times = 400;
  constexpr MaskWord mask = 0x1248124812481248;  // a quarter is stored
  const std::vector<MaskWord> masks(slice_rows * words, mask);
  const std::vector<BFloat16> values(slice_rows * words * 16 + 64, BFloat16(1.0f));
  const std::vector<float> x(words * mask_columns, 1.0f);
  double least = 1e9;
  for (std::int64_t t = 0; t < tries; ++t) {
    const double start = runtime::seconds();
    float sums[slice_rows], all = 0;
    for (std::int64_t k = 0; k < times; ++k) {
      host::row_dots<true, slice_rows, 1>({masks.data(), values.data(), nullptr, words},
                                          Vectors<BFloat16, products>{x.data(), 0, nullptr, 0}, sums);
      all += sums[0];
    }
    const volatile float kept = all;  // or nothing would be computed
    static_cast<void>(kept);
    least = std::min(least, runtime::seconds() - start);
  }
  return least;
}

double measured_speed_of_pairs() {
  if constexpr (host_knows_bf16_pairs) {
    static const double once =
        seconds_of_slices<Bf16Products::fp32>() / seconds_of_slices<Bf16Products::pairs>();
    return once;
  }
  return 0;
}

Bf16Choice chosen_pairs(const std::string& why) {
  return {Bf16Products::pairs, fmt::format("{} ({})", pairs_instruction, why)};
}
Bf16Choice chosen_fp32(const std::string& why) { return {Bf16Products::fp32, fmt::format("fp32 ({})", why)}; }

}  // namespace

bool has_bf16_pairs() {
#if defined(WAFERMARK_X86_QUESTIONS)
  __builtin_cpu_init();
  return host_knows_bf16_pairs && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

Bf16Choice choose_bf16_products(const std::string& wanted, bool pairs_there, CpuMaker maker,
                                const std::function<double()>& speed_of_pairs) {
  if (!wanted.empty() && wanted != "fp32" && wanted != "pairs")
    throw InputError(fmt::format("{}: found '{}', expected fp32 or pairs", bf16_variable, excerpt(wanted)));
  if (wanted == "pairs" && !pairs_there)
    throw InputError(fmt::format("{}: found 'pairs', but this program or CPU has no {}, expected fp32",
                                 bf16_variable, pairs_instruction));
  if (!pairs_there) return {};
  if (wanted == "pairs") return chosen_pairs(bf16_variable);
  if (wanted == "fp32") return chosen_fp32(bf16_variable);
  if (maker == CpuMaker::amd) return chosen_pairs("an AMD CPU");
  if (maker == CpuMaker::intel) return chosen_fp32("an Intel CPU");
  constexpr double clearly = 1.2;  // so that runs on one machine choose alike
  const double speed = speed_of_pairs();
  const std::string why = fmt::format("{} ran at {:.2f} of fp32's rate", pairs_instruction, speed);
  return speed > clearly ? chosen_pairs(why) : chosen_fp32(why);
}

Bf16Choice choose_bf16_products(const Communicator& comm) {
  if (runtime::charges_kernels()) return {};
  const std::string wanted = environment_value(bf16_variable, comm);
  const bool there = comm.min(int(has_bf16_pairs())) == 1;
  Bf16Choice choice;
  if (comm.is_root() || !wanted.empty())
    choice = choose_bf16_products(wanted, there, maker_of_cpu(), measured_speed_of_pairs);
  int products = int(choice.products);
  comm.broadcast(products);
  comm.broadcast(choice.in_words);
  choice.products = Bf16Products(products);
  return choice;
}

std::string instructions_for(const PackedMatrix& m, const Bf16Choice& bf16, const MatrixUnit& unit) {
  const bool in_tiles = m.slice == tile_rows, listed = row_of(m.format).layout == Layout::listed;
  std::string said = host_instructions;
  if (m.value_type == ValueType::bf16)
    said += fmt::format(", bf16 by {}", in_tiles || listed ? "fp32" : bf16.in_words);
  const bool known_to_units = m.value_type == ValueType::int8 || m.value_type == ValueType::bf16;
  if (in_tiles && unit.multiplies(m.value_type))
    said += fmt::format(", AMX from {} vectors", unit_from);
  else if (unit.there && known_to_units && !unit.multiplies(m.value_type))
    said += ", " + unit.in_words;
  return said;
}

}  // namespace wafermark::llama
