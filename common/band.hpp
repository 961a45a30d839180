// How sure a prediction is: what becomes of it when the machine's numbers move within their ranges.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/quantity.hpp"

namespace wafermark {

/// What one of the machine's numbers does to a prediction, in parts of the prediction.
struct Influence {
  std::string key;
  double low = 0.0, high = 0.0;        ///< the number's range
  double at_low = 1.0, at_high = 1.0;  ///< the prediction there, all other numbers as they are
};

/// The 5th and 95th percentile of a prediction, in parts of it, when every number is drawn evenly from its
/// range, independently of the others; from a range between whole numbers whole numbers only, as the cycles
/// of an instruction are. The prediction itself lies in it, also where most numbers can only grow.
struct Band {
  double low = 1.0, high = 1.0;
  std::vector<Influence> influences;  ///< of the numbers that matter at all, the largest first

  /// The band of 1 / prediction: of a rate, from that of a time.
  Band inverse() const;
  /// The two bounds of a predicted `value`.
  std::array<double, 2> of(double value) const { return {low * value, high * value}; }
  /// The same for a result; none where no number of the machine matters.
  std::optional<std::array<double, 2>> quoted(double value) const {
    return influences.empty() ? std::nullopt : std::optional(of(value));
  }
  /// The influences, for a result's "sensitivity".
  nlohmann::json sensitivity() const;
  /// The largest so many in lines: number, range, prediction at either end.
  std::string table(std::size_t most) const;
};

/// The band of a prediction, `predicted` > 0 (a time or an energy), of which predict(key, value) tells what
/// it becomes with another value of one of the machine's numbers. Each number's influence is found by itself
/// and taken as linear on either side of its value, and influences add up: times and energies are sums. A
/// count with a range between whole numbers ("1 to 1.14") goes by the next whole one. The same bits wherever
/// it is called.
Band band_of(const std::map<std::string, Quantity>& quantities, double predicted,
             const std::function<double(const std::string& key, double value)>& predict);

}  // namespace wafermark
