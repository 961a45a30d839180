// A piece of a tile's code, counted once with Counted (counted.hpp) and priced for a machine: cycles and
// joules follow from how many items it is done to.
#pragma once

#include <cstdint>
#include <optional>

#include "wse_emulator/cost.hpp"

namespace wafermark::wse {

/// How vector instructions run.
struct VectorUse {
  Precision precision = Precision::fp32;
  /// Pieces in which the items are taken, where memory does not hold all at once.
  int batches = 1;
  /// Instructions of an item of which two operands lie in one bank of memory, or meet there so often on
  /// average. A bank serves one access a cycle (machine file: banks, bank_conflict_cycles_per_element), so
  /// that such an instruction takes that many cycles an element. Banks follow from where a program puts its
  /// buffers (tile_memory.hpp, share_a_bank); an instruction whose destination is one of its sources has two
  /// operands in one bank.
  double in_one_bank = 0.0;
};

class Section {
 public:
  Section() = default;
  /// Scalar code, once an item.
  static Section scalar(const Machine& machine, const OperationCounts& of_item);
  /// Vector instructions over all items, one for each instruction of `of_item`. Its words of memory are those
  /// that it counts (Counted::in_memory), in elements; when it counts none each instruction reads two
  /// operands and writes one. An operand that comes from the fabric or goes there is no word of memory
  /// (Program::stream).
  static Section vector(const Machine& machine, const OperationCounts& of_item, const VectorUse& use = {});
  /// An item is this section done to so many elements: a vector instruction that code issues again and again.
  Section run_of(int elements) const;

  /// The same code on another machine.
  Section on(const Machine& machine) const;

  /// Nothing to do costs nothing.
  double cycles(std::int64_t items) const {
    if (items == 0) return 0.0;
    return startup_ + per_element_ * static_cast<double>(items) * issue_ + again_;
  }
  /// Of `times` times with `items` items in all.
  double cycles(std::int64_t times, std::int64_t items) const {
    return (startup_ + again_) * static_cast<double>(times) +
           per_element_ * static_cast<double>(items) * issue_;
  }
  /// Of the vector instructions, whatever the number of items.
  double startup_cycles() const { return startup_ + again_; }
  /// Elements of memory included.
  const OperationCounts& of_item() const { return of_item_; }
  /// Of so many items, with words of memory in units of 32 bits.
  OperationCounts operations(std::int64_t items) const;

 private:
  double startup_ = 0.0, per_element_ = 0.0, issue_ = 0.0, again_ = 0.0;
  int elements_in_word_ = 1;
  OperationCounts of_item_, counted_;
  std::optional<VectorUse> vector_;  ///< none: scalar code
  int run_ = 0;                      ///< elements of an item; 0: one
};

}  // namespace wafermark::wse
