// The numbers of a machine's file as a table: what each may be and where it goes (wse_emulator/machine.cpp,
// tools/kernel_clock/cluster_machine.cpp).
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "common/quantity.hpp"

namespace wafermark {

/// A number of a machine's file and where it goes. A Machine keeps all as the file has them, by key, in
/// `quantities`.
template <class Machine>
struct QuantityRow {
  QuantityRule rule;
  std::function<void(Machine&, double)> set;
};
template <class Machine>
using QuantityRows = std::vector<QuantityRow<Machine>>;

/// Reads every row as read_quantity() does.
template <class Machine>
void read_quantities(Deck& deck, const QuantityRows<Machine>& rows, const std::vector<std::string>& overrides,
                     Machine& machine) {
  for (const auto& row : rows) {
    Quantity& q = machine.quantities[row.rule.key];
    q = read_quantity(deck, row.rule, overrides);
    row.set(machine, q.value);
  }
}

/// The machine with another value of one of its numbers, in the file's unit; counts are rounded. Throws
/// std::out_of_range for a key that there is not.
template <class Machine>
Machine with_quantity(const Machine& machine, const QuantityRows<Machine>& rows, const std::string& key,
                      double value) {
  Machine other = machine;
  Quantity& q = other.quantities.at(key);
  q.value = q.whole ? std::round(value) : value;
  for (const auto& row : rows)
    if (row.rule.key == key) row.set(other, q.value);
  return other;
}

}  // namespace wafermark
