#include "common/number_range.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace wafermark {
namespace {

template <class T>
std::optional<T> parse(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// As people write it: 1000000, 16777216, 1e15, 0.5.
std::string number_text(double x) {
  std::string text = fmt::format("{:g}", x);
  if (x == std::floor(x) && (std::abs(x) < 1e7 || parse<double>(text) != x)) return fmt::format("{:.0f}", x);
  if (const auto plus = text.find("e+"); plus != std::string::npos)
    text.erase(plus + 1, text[plus + 2] == '0' ? 2 : 1);
  return text;
}

}  // namespace

bool Range::holds(double x) const {
  return std::isfinite(x) && x <= high && (exclusive_low ? x > low : x >= low);
}

std::string Range::text(const char* kind) const {
  if (std::isinf(low) && std::isinf(high)) return kind;
  const std::string least = fmt::format("{} {}", exclusive_low ? "above" : "of at least", number_text(low));
  if (std::isinf(high)) return fmt::format("{} {}", kind, least);
  if (std::isinf(low)) return fmt::format("{} of at most {}", kind, number_text(high));
  if (exclusive_low) return fmt::format("{} {} and at most {}", kind, least, number_text(high));
  return fmt::format("{} from {} to {}", kind, number_text(low), number_text(high));
}

std::optional<std::int64_t> whole_number(double x) {
  constexpr double all_representable = 9007199254740992.0;  // 2^53
  if (!(std::abs(x) <= all_representable) || x != std::floor(x)) return std::nullopt;
  return static_cast<std::int64_t>(x);
}

std::optional<std::int64_t> parse_whole_number(std::string_view text) {
  if (const auto whole = parse<std::int64_t>(text)) return whole;
  const auto number = parse_number(text);
  return number ? whole_number(*number) : std::nullopt;
}

std::optional<double> parse_number(std::string_view text) {
  const auto number = parse<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

}  // namespace wafermark
