// Numbers of the world in files: each with the range in which it plausibly lies, and with where it comes
// from.
//   launch_us = { value = 6, range = [4, 9], kind = "measured", source = "..." }
#pragma once

#include <array>
#include <string>

#include "common/deck.hpp"

namespace wafermark {

struct Quantity {
  double value = 0.0;
  double low = 0.0, high = 0.0;  ///< between which it plausibly lies; both the value where it is known
  std::string kind;              ///< one of Quantity::kinds
  std::string source;
  bool whole = false;  ///< a count

  /// By others on the machine; by the vendor, the operator or the authors of a program; worked out from such
  /// figures; chosen so that a measurement comes out; ours, for the reason that `source` gives.
  static constexpr std::array<const char*, 5> kinds = {"measured", "published", "derived", "fitted",
                                                       "estimated"};
};

/// What a number may be at all.
struct QuantityRule {
  std::string key;
  const char* meaning;
  Range allowed;
  bool whole = false;
};

/// Reads one. Throws InputError "FILE:LINE: ..." where anything is missing, out of what `rule` allows,
/// without source, or where the value lies outside of its own range. A value that an override of `deck`
/// changed while its range was left alone counts as known: its range is itself.
Quantity read_quantity(Deck& deck, const QuantityRule& rule, const std::vector<std::string>& overrides);

}  // namespace wafermark
