// What the sections of the streamed tile program cost: kernels, counted once with Counted<float>.
#include <algorithm>
#include <cmath>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/half.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/rope.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "sparse_llama/wafer/program_cost.hpp"
#include "sparse_llama/wafer/streamed_program.hpp"
#include "wse_emulator/counted.hpp"

namespace wafermark::llama {
namespace {

using C = wse::Counted<float>;
using wse::counted;
using wse::Operation;
using wse::OperationCounts;

OperationCounts of_arriving_weight() {
  const auto x = wse::in_memory<float>(1);
  auto sums = wse::in_memory<float>(1);
  return counted([&] { arriving_weight(C(2.0f), x.data(), 1, sums.data()); });
}

/// The sum that comes and the tile's own, which goes on.
OperationCounts of_partial_sum() {
  const auto own = wse::in_memory<float>(1);
  return counted([&] { (void)(own[0] + C(2.0f)); });
}

/// Into the number type of the next product's inputs.
OperationCounts of_kept_sum() {
  return counted([] {
    wse::count(Operation::convert);
    wse::count(Operation::store);
  });
}

/// What a query and a key take beside their products: the weight of the key's value.
OperationCounts of_weight_of_value() {
  return with_words(counted([] {
                      const C score = C(2.0f) * C(0.5f), top = wse::larger_of(C(1.0f), score);
                      C sum = 0.0f;
                      sum += exponential_by_polynomial(score - top);
                    }).without_fma());
}

OperationCounts of_gated() {
  const C gate = 1.0f, up = 2.0f;
  return with_words(counted([&] { swiglu(gate, up, exponential_by_polynomial(-gate)); }).without_fma());
}

OperationCounts of_merged() {
  // A partial sum fades to the common top and is added.
  return with_words(counted([] { (void)(C(1.0f) + C(2.0f) * C(3.0f)); }));
}

/// Multiply-adds of so many elements; in lanes so many are done at a time.
double elements(const wse::Machine& m, const StreamedSettings& s, std::int64_t n) {
  const double lanes = wse::lanes(m, s.precision()),
               each = s.sum_banks == SumBanks::one
                          ? std::max(m.bank_conflict_cycles_per_element, m.vector_cycles_per_element)
                          : m.vector_cycles_per_element;
  return each * (lanes > 1 ? std::ceil(double(n) / lanes) : double(n) / lanes);
}

OperationCounts of_multiply_adds(const StreamedSettings& s, std::int64_t n) {
  const OperationCounts all = n * of_arriving_weight();
  return s.precision() == wse::Precision::fp32 ? all : all.in_lanes();
}

/// A loop of vector instructions whose descriptors stay loaded.
wse::Section pass_over(const wse::Machine& machine, const OperationCounts& of_element, std::int64_t n) {
  return wse::Section::priced(machine, n * of_element, [=](const wse::Machine& m) {
    return m.vector_restart_cycles +
           m.vector_cycles_per_element * double(n) * wse::issue_cycles(m, of_element);
  });
}

wse::Section weight_section(const wse::Machine& machine, const StreamedSettings& s, std::int64_t tokens) {
  // Weights of 16 bits come as fp16: they are converted outside.
  return wse::Section::priced(machine, of_multiply_adds(s, tokens), [=](const wse::Machine& m) {
    return m.arriving_weight_cycles + elements(m, s, tokens);
  });
}

/// A query and a key: each element of the key and of its value arrives once for all queries that wait.
wse::Section attended_section(const wse::Machine& machine, const StreamedSettings& s, std::int64_t head_dim,
                              std::int64_t queries) {
  const OperationCounts weight = of_weight_of_value();
  const OperationCounts counts = of_multiply_adds(s, 2 * head_dim) + weight;
  return wse::Section::priced(machine, counts, [=](const wse::Machine& m) {
    const double each = m.arriving_weight_cycles + elements(m, s, queries),
                 softmax = m.vector_restart_cycles * double(weight.instructions()) +
                           m.vector_cycles_per_element * double(queries) * wse::issue_cycles(m, weight);
    return (2.0 * double(head_dim) * each + softmax) / double(queries);
  });
}

}  // namespace

StreamedCode::StreamedCode(const wse::Machine& machine, const StreamedSettings& s, std::int64_t head_dim,
                           std::int64_t tokens, std::int64_t queries, int sums_together)
    : weight(weight_section(machine, s, tokens)),
      add(pass_over(machine, of_partial_sum(), tokens)),
      keep(pass_over(machine, of_kept_sum(), tokens)),
      gated(wse::Section::loop(machine, of_gated())),
      attended(attended_section(machine, s, head_dim, queries)),
      merged(wse::Section::loop(machine, of_merged())) {
  const ProgramCost cost(machine, s.value_type);
  square = cost.squares();
  root = cost.root();
  scaled = cost.scaled();
  pair = cost.rotary_pairs();
  residual = cost.added();
  divided = cost.divided(head_dim);
  cycles.weight = weight.cycles(1);
  cycles.restart = machine.vector_restart_cycles;
  cycles.add = add.cycles(1) - cycles.restart;
  cycles.keep = keep.cycles(1);
  cycles.together = sums_together;
}

}  // namespace wafermark::llama
