#include "common/results/validation_table.hpp"

#include <fmt/format.h>

namespace wafermark {

ValidationTable::ValidationTable(Result& result, bool visible, std::string nothing_published)
    : result_(result), visible_(visible), nothing_published_(std::move(nothing_published)) {
  if (visible_ && nothing_published_.empty())
    fmt::print("{:<40} {:>12} {:>12} {:>9} {:>10}\n", "", "predicted", "published", "off", "tolerance");
  else if (visible_)
    fmt::print("{:<40} {:>12} {}\n", "", "predicted", nothing_published_);
}

void ValidationTable::add_alone(const std::string& name, const std::string& figure, double predicted,
                                const std::string& unit) {
  if (visible_) fmt::print("{:<40} {:>12.6g} {}\n", name, predicted, unit);
  result_.add_figure(figure, predicted, unit, Kind::modelled, nothing_published_);
}

void ValidationTable::print(const std::string& name, double predicted, double published,
                            const std::string& tolerance, const std::string& unit) const {
  if (visible_)
    fmt::print("{:<40} {:>12.6g} {:>12.6g} {:>+8.1f}% {:>10}  {}\n", name, predicted, published,
               100.0 * (predicted / published - 1.0), tolerance, unit);
}

void ValidationTable::row(const std::string& name, const std::string& figure, double predicted,
                          double published, double within, const std::string& unit) {
  if (!nothing_published_.empty()) return add_alone(name, figure, predicted, unit);
  print(name, predicted, published, fmt::format("{:.0f}%", 100.0 * within), unit);
  result_.add_check(figure, predicted, published, within * published, unit);
}

void ValidationTable::row_unchecked(const std::string& name, const std::string& figure, double predicted,
                                    double published, const std::string& unit) {
  if (!nothing_published_.empty()) return add_alone(name, figure, predicted, unit);
  print(name, predicted, published, "unchecked", unit);
  result_.add_figure(figure, predicted, unit, Kind::modelled, fmt::format("published: {:.6g}", published));
}

}  // namespace wafermark
