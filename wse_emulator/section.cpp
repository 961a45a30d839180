#include "wse_emulator/section.hpp"

#include <algorithm>

namespace wafermark::wse {

Section Section::scalar(const Machine& machine, const OperationCounts& of_item) {
  return priced(machine, of_item, [of_item](const Machine& m) { return scalar_cycles(m, of_item); });
}

Section Section::priced(const Machine& machine, const OperationCounts& of_item, CyclesOfItem cycles) {
  Section s;
  s.of_item_ = of_item;
  s.per_element_ = 1.0;
  s.issue_ = cycles(machine);
  s.made_ = std::make_shared<const Maker>([=](const Machine& m) { return priced(m, of_item, cycles); });
  return s;
}

Section Section::vector(const Machine& machine, const OperationCounts& of_item, const VectorUse& use) {
  Section s;
  s.of_item_ = of_item;
  if (of_item[Operation::load] == 0 && of_item[Operation::store] == 0) {
    s.of_item_[Operation::load] = 2 * of_item.instructions();
    s.of_item_[Operation::store] = of_item.instructions();
  }
  if (use.precision != Precision::fp32) s.of_item_ = s.of_item_.in_lanes();
  s.startup_ = vector_cycles(machine, of_item, 0);
  s.again_ = (use.batches - 1) * s.startup_;
  s.per_element_ = machine.vector_cycles_per_element / lanes(machine, use.precision);
  s.issue_ = issue_cycles(machine, of_item);
  if (use.in_one_bank > 0.0)
    s.issue_ +=
        use.in_one_bank *
        std::max(0.0, machine.bank_conflict_cycles_per_element / machine.vector_cycles_per_element - 1.0);
  s.elements_in_word_ = elements_in_word(use.precision);
  s.made_ = std::make_shared<const Maker>([=](const Machine& m) { return vector(m, of_item, use); });
  return s;
}

Section Section::run_of(int elements) const {
  Section s;
  s.of_item_ = std::int64_t{elements} * of_item_;
  s.per_element_ = 1.0;
  s.issue_ = cycles(elements);
  s.elements_in_word_ = elements_in_word_;
  s.made_ = std::make_shared<const Maker>(
      [once = *this, elements](const Machine& m) { return once.on(m).run_of(elements); });
  return s;
}

Section Section::loop(const Machine& machine, const OperationCounts& of_turn, Loop kind) {
  const LoopPrice price = loop_price(machine, of_turn, kind);
  Section s;
  s.of_item_ = of_turn;
  s.startup_ = price.startup;
  s.per_element_ = machine.vector_cycles_per_element;
  s.issue_ = price.issue;
  s.again_ = -price.saved;
  s.in_scalar_code_ = price.scalar_turn;
  s.made_ = std::make_shared<const Maker>([=](const Machine& m) { return loop(m, of_turn, kind); });
  return s;
}

Section Section::loops(const Machine& machine, const OperationCounts& of_turn, std::int64_t turns,
                       Loop kind) {
  return priced(machine, turns * of_turn,
                [=](const Machine& m) { return loop_cycles(m, of_turn, turns, kind); });
}

Section Section::nest(const Machine& machine, const OperationCounts& of_pair, std::int64_t others) {
  Section s = loop(machine, of_pair, Loop::repeated);
  s.of_item_ = others * of_pair;
  s.rounds_ = static_cast<double>(others);
  s.across_ = loop_cycles(machine, of_pair, others, Loop::repeated);
  s.made_ = std::make_shared<const Maker>([=](const Machine& m) { return nest(m, of_pair, others); });
  return s;
}

Section Section::nest_in_lanes(const Machine& machine, const OperationCounts& of_pair, std::int64_t others) {
  const double in_lane = machine.vector_cycles_per_element / machine.half_lanes,
               restart = machine.vector_restart_cycles, issue = issue_cycles(machine, of_pair);
  const auto pairs = static_cast<double>(others);
  Section s;
  s.of_item_ = others * of_pair.in_lanes();
  s.startup_ = restart;
  s.per_element_ = in_lane;
  s.issue_ = issue;
  s.in_scalar_code_ = loop_price(machine, of_pair, Loop::plain).scalar_turn;
  s.rounds_ = pairs;
  s.across_ = std::min(restart + in_lane * issue * pairs, pairs * s.in_scalar_code_);
  s.made_ =
      std::make_shared<const Maker>([=](const Machine& m) { return nest_in_lanes(m, of_pair, others); });
  return s;
}

Section Section::passes(const Machine& machine, const OperationCounts& of_pair, std::int64_t others,
                        std::int64_t lists, Precision precision) {
  Section s;
  s.of_item_ = others * (precision == Precision::fp32 ? of_pair : of_pair.in_lanes());
  s.startup_ = static_cast<double>(lists * of_pair.instructions()) * machine.vector_restart_cycles;
  s.per_element_ = machine.vector_cycles_per_element / lanes(machine, precision);
  s.issue_ = issue_cycles(machine, of_pair);
  s.in_scalar_code_ = loop_price(machine, of_pair, Loop::plain).scalar_turn;
  s.rounds_ = static_cast<double>(others);
  s.made_ = std::make_shared<const Maker>(
      [=](const Machine& m) { return passes(m, of_pair, others, lists, precision); });
  return s;
}

Section operator+(const Section& a, const Section& b) {
  Section s;
  s.of_item_ = a.of_item_ + b.of_item_;
  s.per_element_ = 1.0;
  s.issue_ = a.cycles(1) + b.cycles(1);
  s.made_ = std::make_shared<const Section::Maker>([=](const Machine& m) { return a.on(m) + b.on(m); });
  return s;
}

OperationCounts Section::operations(std::int64_t items) const {
  OperationCounts all = items * of_item_;
  for (const Operation words : {Operation::load, Operation::store})
    all[words] = (all[words] + elements_in_word_ - 1) / elements_in_word_;
  return all;
}

}  // namespace wafermark::wse
