// A piece of a tile's code, counted once with Counted (counted.hpp) and priced for a machine: cycles and
// joules follow from how many items it is done to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>

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

  /// A loop whose turns are the items: loop_cycles, so as vector instructions or as scalar code.
  static Section loop(const Machine& machine, const OperationCounts& of_turn, Loop kind = Loop::plain);
  /// Each item is a loop of its own, of so many turns.
  static Section loops(const Machine& machine, const OperationCounts& of_turn, std::int64_t turns,
                       Loop kind = Loop::plain);
  /// Each item meets `others` others: a loop over the items for each of these, or a loop over these for each
  /// item, whichever is faster.
  static Section nest(const Machine& machine, const OperationCounts& of_pair, std::int64_t others);
  /// The same with multiply-adds of 16-bit numbers in lanes, either way.
  static Section nest_in_lanes(const Machine& machine, const OperationCounts& of_pair, std::int64_t others);
  /// Each item of `lists` lists meets `others` others: for each of these a pass of vector instructions over
  /// every list, whose descriptors stay loaded, or scalar code, whichever is faster.
  static Section passes(const Machine& machine, const OperationCounts& of_pair, std::int64_t others,
                        std::int64_t lists, Precision precision);
  /// Of items whose cycles a machine's numbers give in another way.
  using CyclesOfItem = std::function<double(const Machine&)>;
  static Section priced(const Machine& machine, const OperationCounts& of_item, CyclesOfItem cycles);
  /// Both done to the same items, one after the other; of sections whose cycles grow with every item alike
  /// (scalar, loops, priced, run_of).
  friend Section operator+(const Section& a, const Section& b);

  /// The same code on another machine.
  Section on(const Machine& machine) const { return made_ ? (*made_)(machine) : Section(); }

  /// Nothing to do costs nothing.
  double cycles(std::int64_t items) const {
    if (items == 0) return 0.0;
    const auto n = static_cast<double>(items);
    return std::min(rounds_ * std::min(startup_ + per_element_ * n * issue_ + again_, n * in_scalar_code_),
                    n * across_);
  }
  /// Of `times` times with `items` items in all.
  double cycles(std::int64_t times, std::int64_t items) const {
    if (items == 0) return 0.0;
    const auto t = static_cast<double>(times), n = static_cast<double>(items);
    return std::min(
        rounds_ * std::min((startup_ + again_) * t + per_element_ * n * issue_, n * in_scalar_code_),
        n * across_);
  }
  /// Of the vector instructions, whatever the number of items.
  double startup_cycles() const { return startup_ + again_; }
  /// Elements of memory included.
  const OperationCounts& of_item() const { return of_item_; }
  /// Of so many items, with words of memory in units of 32 bits.
  OperationCounts operations(std::int64_t items) const;

 private:
  using Maker = std::function<Section(const Machine&)>;
  static constexpr double never = std::numeric_limits<double>::infinity();

  double startup_ = 0.0, per_element_ = 0.0, issue_ = 0.0, again_ = 0.0;
  double in_scalar_code_ = never;  ///< an item, where scalar code is the other choice
  double rounds_ = 1.0;            ///< that all of this takes
  double across_ = never;          ///< an item, where the nest may be turned round
  int elements_in_word_ = 1;
  OperationCounts of_item_;
  std::shared_ptr<const Maker> made_;  ///< for another machine
};

}  // namespace wafermark::wse
