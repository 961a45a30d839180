#include "common/band.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace wafermark {
namespace {

constexpr int draws = 4096;
constexpr double smallest_influence = 1e-6;

/// Evenly in [0, 1), from the generator's bits: distributions of the standard library differ between vendors.
double even(std::mt19937_64& bits) { return static_cast<double>(bits() >> 11) * 0x1p-53; }

bool whole(double x) { return x == std::floor(x); }

/// A value of the range, all alike; of a range between whole numbers a whole number, as cycles of an
/// instruction are.
double drawn_from(const Influence& i, std::mt19937_64& bits) {
  if (whole(i.low) && whole(i.high)) return i.low + std::floor(even(bits) * (i.high - i.low + 1.0));
  return i.low + even(bits) * (i.high - i.low);
}

using Predict = std::function<double(const std::string&, double)>;

/// The prediction at `bound` of a number's range, in parts of the prediction.
double at_bound(const std::string& key, const Quantity& q, double bound, double predicted,
                const Predict& predict) {
  if (bound == q.value) return 1.0;
  const double asked = !q.whole ? bound : bound > q.value ? std::ceil(bound) : std::floor(bound);
  const double there = predict(key, asked) / predicted;
  return 1.0 + (there - 1.0) * (bound - q.value) / (asked - q.value);
}

}  // namespace

Band band_of(const std::map<std::string, Quantity>& quantities, double predicted, const Predict& predict) {
  Band band;
  for (const auto& [key, q] : quantities) {
    const Influence i{key, q.low, q.high, at_bound(key, q, q.low, predicted, predict),
                      at_bound(key, q, q.high, predicted, predict)};
    if (std::max(std::abs(i.at_low - 1.0), std::abs(i.at_high - 1.0)) > smallest_influence)
      band.influences.push_back(i);
  }
  std::mt19937_64 bits(1);
  std::vector<double> drawn(draws, 1.0);
  for (double& sum : drawn)
    for (const Influence& i : band.influences) {
      const double value = quantities.at(i.key).value, x = drawn_from(i, bits);
      if (x < value) sum += (i.at_low - 1.0) * (value - x) / (value - i.low);
      if (x > value) sum += (i.at_high - 1.0) * (x - value) / (i.high - value);
    }
  std::sort(drawn.begin(), drawn.end());
  band.low = std::min(1.0, drawn[draws / 20]);
  band.high = std::max(1.0, drawn[draws - 1 - draws / 20]);
  const auto size = [](const Influence& i) { return std::abs(i.at_high - i.at_low); };
  std::stable_sort(band.influences.begin(), band.influences.end(),
                   [&](const Influence& a, const Influence& b) { return size(a) > size(b); });
  return band;
}

Band Band::inverse() const {
  Band other{1.0 / high, 1.0 / low, influences};
  for (Influence& i : other.influences) i.at_low = 1.0 / i.at_low, i.at_high = 1.0 / i.at_high;
  return other;
}

nlohmann::json Band::sensitivity() const {
  nlohmann::json rows = nlohmann::json::array();
  for (const Influence& i : influences)
    rows.push_back(
        {{"number", i.key}, {"range", {i.low, i.high}}, {"at_low", i.at_low}, {"at_high", i.at_high}});
  return rows;
}

std::string Band::table(std::size_t most) const {
  std::string text;
  for (std::size_t k = 0; k < std::min(most, influences.size()); ++k) {
    const Influence& i = influences[k];
    text += fmt::format("{:<34} {:>18} {:>+8.1f} % {:>+8.1f} %\n", i.key,
                        fmt::format("{:g} to {:g}", i.low, i.high), 100.0 * (i.at_low - 1.0),
                        100.0 * (i.at_high - 1.0));
  }
  return text;
}

}  // namespace wafermark
