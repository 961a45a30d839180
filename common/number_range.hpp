// Numbers that users write: read in full, and told what they may be.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace wafermark {

/// Closed interval of accepted numbers; `exclusive_low` excludes the lower end. Infinity and NaN lie in none.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool exclusive_low = false;

  bool holds(double x) const;
  /// "a number above 0", "a whole number from 1 to 1e6"; `kind`: "a number".
  std::string text(const char* kind) const;
};
inline constexpr Range positive{0.0, std::numeric_limits<double>::infinity(), true};
inline constexpr Range non_negative{0.0, std::numeric_limits<double>::infinity(), false};

/// `x` as a whole number; none where it has a fraction, or is so large (2^53) that a double leaves some out.
std::optional<std::int64_t> whole_number(double x);
/// All of `text` as a whole number, "1000" or "1e3".
std::optional<std::int64_t> parse_whole_number(std::string_view text);
/// All of `text` as a finite number.
std::optional<double> parse_number(std::string_view text);

}  // namespace wafermark
