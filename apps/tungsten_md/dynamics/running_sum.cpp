#include "tungsten_md/dynamics/running_sum.hpp"

#include "tungsten_md/dynamics/device_numbers.hpp"

namespace wafermark::tungsten {

RunningSum::Term RunningSum::next(double unit) {
  if (terms_.extent(0) == 0) terms_ = ScalarView("terms_of_sum", room);
  if (waiting_ == room) collect();
  units_[waiting_] = unit;
  return Term(terms_.data() + waiting_++);
}

void RunningSum::add(double term) {
  collect();
  sum_ += term;
}

void RunningSum::set(double sum) {
  waiting_ = 0;
  sum_ = sum;
}

double RunningSum::value() const {
  collect();
  return sum_;
}

void RunningSum::collect() const {
  if (waiting_ == 0) return;
  const std::vector<double> terms = numbers_on_host(terms_);
  for (int k = 0; k < waiting_; ++k) sum_ += terms[static_cast<std::size_t>(k)] * units_[k];
  waiting_ = 0;
}

}  // namespace wafermark::tungsten
