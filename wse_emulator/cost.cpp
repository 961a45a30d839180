#include "wse_emulator/cost.hpp"

#include <algorithm>

namespace wafermark::wse {
namespace {

constexpr double word_bytes = 4.0;

}  // namespace

double issue_cycles(const Machine& m, const OperationCounts& counts) {
  double sum = 0.0;
  for (std::size_t k = 0; k < operation_classes; ++k) sum += m.cycles[k] * static_cast<double>(counts.n[k]);
  return sum;
}

double scalar_cycles(const Machine& m, const OperationCounts& counts) {
  const double read = word_bytes * static_cast<double>(counts[Operation::load]) / m.read_bytes_per_cycle;
  const double written = word_bytes * static_cast<double>(counts[Operation::store]) / m.write_bytes_per_cycle;
  return std::max({issue_cycles(m, counts), read, written});
}

double lanes(const Machine& m, Precision precision) {
  if (precision == Precision::fp32) return 1.0;
  return precision == Precision::mixed ? m.mixed_lanes : m.half_lanes;
}

int elements_in_word(Precision precision) { return precision == Precision::fp32 ? 1 : 2; }

double vector_cycles(const Machine& m, const OperationCounts& counts, std::int64_t elements) {
  return m.vector_startup_cycles * static_cast<double>(counts.instructions()) +
         m.vector_cycles_per_element * static_cast<double>(elements) * issue_cycles(m, counts);
}

LoopPrice loop_price(const Machine& m, const OperationCounts& counts, Loop loop) {
  OperationCounts turn = counts;
  turn[Operation::integer] += 1;
  turn[Operation::branch] += 1;
  const OperationCounts vector = loop == Loop::products ? counts.without_fma() : counts;
  const auto instructions = static_cast<double>(vector.instructions());
  const double saved = loop == Loop::repeated ? m.vector_startup_cycles - m.vector_restart_cycles : 0.0;
  return {m.vector_startup_cycles * instructions, issue_cycles(m, vector), saved * instructions,
          scalar_cycles(m, turn)};
}

double loop_cycles(const Machine& m, const OperationCounts& counts, std::int64_t elements, Loop loop) {
  if (elements == 0) return 0.0;
  const LoopPrice p = loop_price(m, counts, loop);
  const auto turns = static_cast<double>(elements);
  return std::min(p.startup + m.vector_cycles_per_element * turns * p.issue - p.saved, turns * p.scalar_turn);
}

double receive_cycles(const Machine& m, std::int64_t words) {
  return std::min(static_cast<double>(words) * m.fabric_read_cycles,
                  m.vector_startup_cycles + static_cast<double>(words) * m.fabric.cycles_per_word);
}

double operation_joules(const Machine& m, const OperationCounts& counts) {
  const auto words = counts[Operation::load] + counts[Operation::store];
  return 1e-12 * (m.flop_pj * static_cast<double>(counts.flops()) +
                  m.instruction_pj * static_cast<double>(counts.instructions()) +
                  m.sram_word_pj * static_cast<double>(words) +
                  m.half_multiply_add_pj * static_cast<double>(counts[Operation::half_fma]));
}

double dynamic_joules(const Machine& m, const OperationCounts& counts, std::int64_t word_hops) {
  return operation_joules(m, counts) + 1e-12 * m.hop_pj * static_cast<double>(word_hops);
}

double run_joules(const Machine& m, double seconds, const OperationCounts& counts, std::int64_t word_hops) {
  return m.idle_watts * seconds + dynamic_joules(m, counts, word_hops);
}

}  // namespace wafermark::wse
