// From counted operations to cycles and energy.
#pragma once

#include "wse_emulator/machine.hpp"

namespace wafermark::wse {

/// Sum of the issue cycles of instructions; words of memory have none.
double issue_cycles(const Machine& machine, const OperationCounts& counts);

/// Cycles of straight-line scalar code: its instructions issue one after the other, and the words that they
/// read and write ride along as far as the SRAM's width allows:
///   max(sum of issue cycles, bytes read / read width, bytes written / write width)
double scalar_cycles(const Machine& machine, const OperationCounts& counts);

/// What the elements of a vector instruction are. mixed: fp16 factors, fp32 sums.
enum class Precision { fp32, fp16, bf16, mixed };
/// Elements in a cycle, beside those of fp32.
double lanes(const Machine& machine, Precision precision);
/// Elements in a word of 32 bits; of mixed, its factors.
int elements_in_word(Precision precision);

/// Cycles of code that is done to `elements` elements by vector instructions, one for each instruction of
/// `counts` (the counts of one element): sum over instructions of startup + issue cycles * per element *
/// elements. A multiply-add of `counts` has one factor that is the same for all elements
/// (OperationCounts::without_fma).
double vector_cycles(const Machine& machine, const OperationCounts& counts, std::int64_t elements);

/// How vector instructions serve a loop. repeated: one of many such loops over operands that stay described,
/// so that an instruction takes vector_restart_cycles instead of its startup. products: both factors of its
/// multiply-adds are vectors (OperationCounts::without_fma).
enum class Loop { plain, repeated, products };

/// Cycles of a loop that does `counts` in each of its `elements` turns: as vector instructions, or as scalar
/// code with a counter and a jump a turn, whichever is faster.
double loop_cycles(const Machine& machine, const OperationCounts& counts, std::int64_t elements,
                   Loop loop = Loop::plain);

/// What loop_cycles goes by: startup + per element * turns * issue - saved as vector instructions, turns *
/// scalar_turn as scalar code.
struct LoopPrice {
  double startup, issue, saved, scalar_turn;
};
LoopPrice loop_price(const Machine& machine, const OperationCounts& counts, Loop loop);

/// Cycles of waiting for so many words of the fabric: one by one, or as the operand of a vector instruction.
double receive_cycles(const Machine& machine, std::int64_t words);

/// Energy of counted operations, joules: flops, instructions and words of SRAM.
double operation_joules(const Machine& machine, const OperationCounts& counts);
/// The same and the energy of words times the links that they crossed.
double dynamic_joules(const Machine& machine, const OperationCounts& counts, std::int64_t word_hops);
/// The same and the idle power of the whole wafer for so long.
double run_joules(const Machine& machine, double seconds, const OperationCounts& counts,
                  std::int64_t word_hops);

}  // namespace wafermark::wse
