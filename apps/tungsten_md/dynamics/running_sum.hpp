// Sums over many steps: what a step adds stays on the device until somebody asks, so that no step waits.
#pragma once

#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

class RunningSum {
 public:
  using Term = Kokkos::View<double, MemSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

  /// Where a reduction leaves the next term; it counts `unit` times. The host waits for the device only when
  /// the room for terms is full.
  Term next(double unit = 1.0);
  void add(double term);
  void set(double sum);
  /// Of all terms so far, added in their order. Waits for the device.
  double value() const;

 private:
  static constexpr int room = 64;
  void collect() const;

  ScalarView terms_;
  double units_[room]{};
  mutable int waiting_ = 0;
  mutable double sum_ = 0.0;
};

}  // namespace wafermark::tungsten
