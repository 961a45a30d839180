#include "common/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wafermark {

Quantity read_quantity(Deck& deck, const QuantityRule& rule, const std::vector<std::string>& overrides) {
  const std::string value = rule.key + ".value", range = rule.key + ".range";
  Quantity q;
  q.whole = rule.whole;
  if (rule.whole) deck.integer(value, std::nullopt, rule.meaning, rule.allowed);
  q.value = deck.number(value, std::nullopt, rule.meaning, rule.allowed);
  const auto bounds = deck.numbers(range, std::nullopt, "lowest and highest plausible value");
  if (bounds.size() != 2 ||
      !(rule.allowed.low <= bounds[0] && bounds[0] <= bounds[1] && bounds[1] <= rule.allowed.high))
    deck.reject(range, "two numbers that the key may have, the lower first");
  const auto changed = [&](const std::string& key) {
    return std::any_of(overrides.begin(), overrides.end(),
                       [&](const std::string& change) { return change.starts_with(key + "="); });
  };
  const bool known = changed(value) && !changed(range);
  q.low = known ? q.value : bounds[0];
  q.high = known ? q.value : bounds[1];
  if (q.value < q.low || q.value > q.high)
    deck.reject(range, fmt::format("a range that holds the value, {:g}", q.value));
  q.kind = deck.choice(rule.key + ".kind", std::nullopt,
                       std::vector<std::string>(Quantity::kinds.begin(), Quantity::kinds.end()),
                       "where the number comes from");
  q.source = deck.text(rule.key + ".source", std::nullopt, "publication or reason");
  if (q.source.empty()) deck.reject(rule.key + ".source", "a source");
  return q;
}

}  // namespace wafermark
