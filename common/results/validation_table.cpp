#include "common/results/validation_table.hpp"

#include <fmt/format.h>

namespace wafermark {
namespace {

/// "-19 ... +10 %" of the prediction.
std::string share(double predicted, const std::optional<std::array<double, 2>>& band) {
  if (!band) return "";
  return fmt::format("{:+.0f} ... {:+.0f} %", 100.0 * ((*band)[0] / predicted - 1.0),
                     100.0 * ((*band)[1] / predicted - 1.0));
}

}  // namespace

ValidationTable::ValidationTable(Result& result, bool visible, std::string nothing_published)
    : result_(result), visible_(visible), nothing_published_(std::move(nothing_published)) {
  if (visible_ && nothing_published_.empty())
    fmt::print("{:<40} {:>12} {:>15} {:>12} {:>9} {:>10}\n", "", "predicted", "5 to 95 %", "published", "off",
               "tolerance");
  else if (visible_)
    fmt::print("{:<40} {:>12} {:>15} {}\n", "", "predicted", "5 to 95 %", nothing_published_);
}

void ValidationTable::add_alone(const std::string& name, const std::string& figure, double predicted,
                                const std::string& unit, Bounds band) {
  if (visible_) fmt::print("{:<40} {:>12.6g} {:>15} {}\n", name, predicted, share(predicted, band), unit);
  result_.add_figure(figure, predicted, unit, Kind::modelled, nothing_published_, band);
}

void ValidationTable::print(const std::string& name, double predicted, double published,
                            const std::string& tolerance, const std::string& unit, Bounds band) const {
  if (visible_)
    fmt::print("{:<40} {:>12.6g} {:>15} {:>12.6g} {:>+8.1f}% {:>10}  {}\n", name, predicted,
               share(predicted, band), published, 100.0 * (predicted / published - 1.0), tolerance, unit);
}

void ValidationTable::row(const std::string& name, const std::string& figure, double predicted,
                          double published, double within, const std::string& unit, Bounds band) {
  if (!nothing_published_.empty()) return add_alone(name, figure, predicted, unit, band);
  print(name, predicted, published, fmt::format("{:.0f}%", 100.0 * within), unit, band);
  result_.add_check(figure, predicted, published, within * published, unit, band);
}

void ValidationTable::row_unchecked(const std::string& name, const std::string& figure, double predicted,
                                    double published, const std::string& unit, Bounds band) {
  if (!nothing_published_.empty()) return add_alone(name, figure, predicted, unit, band);
  print(name, predicted, published, "unchecked", unit, band);
  result_.add_figure(figure, predicted, unit, Kind::modelled, fmt::format("published: {:.6g}", published),
                     band);
}

}  // namespace wafermark
