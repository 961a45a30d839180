#include "tungsten_md/wafer/relaxation_code.hpp"

#include "tungsten_md/wafer/tile_program.hpp"

namespace wafermark::tungsten {
namespace {

using C = wse::Counted<float>;

Vector<C> word_of_memory() {
  Vector<C> v{1.0f, 2.0f, 3.0f};
  for (C* component : {&v.x, &v.y, &v.z}) component->keep_in_memory();
  return v;
}

wse::OperationCounts count_products() {
  const Vector<C> v = word_of_memory(), f = word_of_memory();
  const auto inverse_mass = wse::in_memory<float>(1);
  return wse::counted([&] {
    const C fv = product(f, v), f2 = product(f, f), m = inverse_mass[0];
    (void)product(v, v);
    (void)(fv * m);
    (void)(f2 * m * m);
    OnTile<C>::count(wse::Operation::compare, 6);  // the largest components
  });
}

wse::OperationCounts count_move() {
  const Vector<C> v = word_of_memory(), f = word_of_memory(), x = word_of_memory();
  Vector<C> next_v = word_of_memory(), next_x = word_of_memory();
  return wse::counted([&] {
    // The schedule: downhill or not, so many steps so far, time step and mixing.
    OnTile<C>::count(wse::Operation::branch, 4);
    OnTile<C>::count(wse::Operation::integer, 2);
    OnTile<C>::count(wse::Operation::compare, 4);
    OnTile<C>::count(wse::Operation::multiply, 4);
    OnTile<C>::count(wse::Operation::fma, 4);
    (void)roots(C(2.0f));  // |v'| / |f| of all atoms
    const Vector<C> now = turned_towards(kicked(v, f, C(1.0f), C(1.0f)), f, C(0.1f), C(0.2f));
    next_v = now;
    next_x = drifted(x, now, C(1.0f));
  });
}

}  // namespace

RelaxationCode::RelaxationCode(const wse::Machine& machine)
    : products(wse::Section::scalar(machine, count_products())),
      move(wse::Section::scalar(machine, count_move())) {}

}  // namespace wafermark::tungsten
