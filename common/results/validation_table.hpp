// A table of predictions beside published figures: printed row by row, and kept as checks of the result.
#pragma once

#include <string>

#include "common/results/result.hpp"

namespace wafermark {

class ValidationTable {
 public:
  /// Prints the head of the table where `visible`. `nothing_published`: why there is nothing to compare with
  /// ("no published figure for wse3"); then rows are predictions alone, figures of the result instead of
  /// checks. The result must outlive the table.
  ValidationTable(Result& result, bool visible, std::string nothing_published = "");
  /// `within`: tolerance as a share of the published value; `figure`: the check's name; `band`: between which
  /// values the prediction lies.
  void row(const std::string& name, const std::string& figure, double predicted, double published,
           double within, const std::string& unit, std::optional<std::array<double, 2>> band = std::nullopt);
  /// The same, shown and recorded as a figure, not checked.
  void row_unchecked(const std::string& name, const std::string& figure, double predicted, double published,
                     const std::string& unit, std::optional<std::array<double, 2>> band = std::nullopt);

 private:
  using Bounds = std::optional<std::array<double, 2>>;
  void add_alone(const std::string& name, const std::string& figure, double predicted,
                 const std::string& unit, Bounds band);
  void print(const std::string& name, double predicted, double published, const std::string& tolerance,
             const std::string& unit, Bounds band) const;
  Result& result_;
  bool visible_;
  std::string nothing_published_;
};

}  // namespace wafermark
