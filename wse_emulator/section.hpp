// A piece of a tile's code, counted once with Counted (counted.hpp) and priced for a machine: cycles and
// joules follow from how many items it is done to.
#pragma once

#include <cstdint>

#include "wse_emulator/cost.hpp"

namespace wafermark::wse {

class Section {
 public:
  Section() = default;
  /// Scalar code, once an item.
  static Section scalar(const Machine& machine, const OperationCounts& of_item);
  /// Vector instructions over all items, one for each instruction of `of_item`; each reads two operands and
  /// writes one. In so many `batches`, where memory does not hold all items at once.
  static Section vector(const Machine& machine, const OperationCounts& of_item, int batches = 1);

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
  /// Words of memory included.
  const OperationCounts& of_item() const { return of_item_; }

 private:
  double startup_ = 0.0, per_element_ = 0.0, issue_ = 0.0, again_ = 0.0;
  OperationCounts of_item_, counted_;
  int batches_ = 0;  ///< of vector instructions; 0: scalar code
};

}  // namespace wafermark::wse
