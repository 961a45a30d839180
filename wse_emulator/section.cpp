#include "wse_emulator/section.hpp"

namespace wafermark::wse {

Section Section::scalar(const Machine& machine, const OperationCounts& of_item) {
  Section s;
  s.of_item_ = s.counted_ = of_item;
  s.per_element_ = 1.0;
  s.issue_ = scalar_cycles(machine, of_item);
  return s;
}

Section Section::vector(const Machine& machine, const OperationCounts& of_item, int batches) {
  Section s;
  s.of_item_ = s.counted_ = of_item;
  s.batches_ = batches;
  s.of_item_[Operation::load] = 2 * of_item.instructions();
  s.of_item_[Operation::store] = of_item.instructions();
  s.startup_ = vector_cycles(machine, of_item, 0);
  s.again_ = (batches - 1) * s.startup_;
  s.per_element_ = machine.vector_cycles_per_element;
  s.issue_ = issue_cycles(machine, of_item);
  return s;
}

Section Section::on(const Machine& machine) const {
  return batches_ == 0 ? scalar(machine, counted_) : vector(machine, counted_, batches_);
}

}  // namespace wafermark::wse
