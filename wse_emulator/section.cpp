#include "wse_emulator/section.hpp"

#include <algorithm>

namespace wafermark::wse {

Section Section::scalar(const Machine& machine, const OperationCounts& of_item) {
  Section s;
  s.of_item_ = s.counted_ = of_item;
  s.per_element_ = 1.0;
  s.issue_ = scalar_cycles(machine, of_item);
  return s;
}

Section Section::vector(const Machine& machine, const OperationCounts& of_item, const VectorUse& use) {
  Section s;
  s.of_item_ = s.counted_ = of_item;
  s.vector_ = use;
  if (of_item[Operation::load] == 0 && of_item[Operation::store] == 0) {
    s.of_item_[Operation::load] = 2 * of_item.instructions();
    s.of_item_[Operation::store] = of_item.instructions();
  }
  s.startup_ = vector_cycles(machine, of_item, 0);
  s.again_ = (use.batches - 1) * s.startup_;
  s.per_element_ = machine.vector_cycles_per_element / lanes(machine, use.precision);
  s.issue_ = issue_cycles(machine, of_item);
  if (use.in_one_bank > 0.0)
    s.issue_ +=
        use.in_one_bank *
        std::max(0.0, machine.bank_conflict_cycles_per_element / machine.vector_cycles_per_element - 1.0);
  s.elements_in_word_ = elements_in_word(use.precision);
  return s;
}

Section Section::run_of(int elements) const {
  Section s;
  s.of_item_ = std::int64_t{elements} * of_item_;
  s.per_element_ = 1.0;
  s.issue_ = cycles(elements);
  s.elements_in_word_ = elements_in_word_;
  s.counted_ = counted_;
  s.vector_ = vector_;
  s.run_ = elements;
  return s;
}

Section Section::on(const Machine& machine) const {
  const Section once = vector_ ? vector(machine, counted_, *vector_) : scalar(machine, counted_);
  return run_ > 0 ? once.run_of(run_) : once;
}

OperationCounts Section::operations(std::int64_t items) const {
  OperationCounts all = items * of_item_;
  for (const Operation words : {Operation::load, Operation::store})
    all[words] = (all[words] + elements_in_word_ - 1) / elements_in_word_;
  return all;
}

}  // namespace wafermark::wse
