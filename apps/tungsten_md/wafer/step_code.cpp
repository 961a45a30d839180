#include "tungsten_md/wafer/step_code.hpp"

#include "tungsten_md/kernels/heat_bath.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/kernels/stopping.hpp"
#include "tungsten_md/kernels/time_step.hpp"
#include "tungsten_md/wafer/tile_program.hpp"

namespace wafermark::tungsten {
namespace {

using C = wse::Counted<float>;
using wse::counted;
using wse::OperationCounts;

/// From now on these are three words of memory.
void keep_in_memory(Vector<C>& v) {
  v.x.keep_in_memory();
  v.y.keep_in_memory();
  v.z.keep_in_memory();
}

/// Density and force of one neighbour; `find`: how its tables are found.
template <class Tables, class Find>
void count_neighbour(const Tables& tables, const Find& find, SectionCounts& s) {
  C sum = 0.0f;
  Vector<C> force{0.0f, 0.0f, 0.0f};
  const Vector<C> separation{1.0f, 2.0f, 3.0f};
  decltype(neighbour_distance(tables, C())) r{};
  s.density_in_test = counted([&] {
    find();
    r = neighbour_distance(tables, C(2.0f));
    add_density(tables, r, sum);
  });
  s.density = s.density_in_test + counted([&] { turn_over_neighbours<C>(); });
  s.force = counted([&] {
    find();
    add_force(tables, r, separation, C(1.0f), C(2.0f), force);
  });
}

}  // namespace

SectionCounts count_sections(bool periodic_z, RadialTable table, Composition composition) {
  // Any values do: within a section no operation depends on them.
  const std::vector<C> radial(8 * 8, C(1.0f)), embedding(4 * 8, C(1.0f));
  const TileTables<C> tables{radial.data(), embedding.data(), 7, 8, C(1.0f), C(1.0f), C(4.0f)};
  const SquaredTileTables<C> squares{embedding.data(), radial.data(), C(1.0f), C(0.5f), C(7.0f)};
  const Vector<C> a{1.0f, 2.0f, 3.0f}, b{2.0f, 3.0f, 4.0f};
  const PeriodicZ<C> z{periodic_z, 30.0f, 1.0f / 30.0f};
  // The atom in memory, a neighbour, and the corner of its column less the atom's own.
  Vector<C> position = a, velocity = a, acting = b, neighbour = b, kept = b;
  Vector<C> new_position = a, new_velocity = a;
  for (Vector<C>* v : {&position, &velocity, &acting, &neighbour, &kept, &new_position, &new_velocity})
    keep_in_memory(*v);
  const auto corners = wse::in_memory<float>(2);
  C sum = 0.0f;
  SectionCounts s;
  // The length and inverse length of a periodic box are scalars; the squares are products of vectors.
  s.distance = counted([&] { separation(a, b, C(0.5f), C(0.5f), z); }) +
               counted([&] { squared_length(a.x, a.y, a.z); }).without_fma();
  s.test = counted([&] { (void)inside(C(1.0f), tables.cutoff_squared); });
  s.enter = counted([&] { enter_in_list<C>(); });
  const OperationCounts listed_separation = counted([&] {
    OnTile<C>::read(2);  // numbers of the neighbour and of its column
    OnTile<C>::address();
    const auto d = separation(a, neighbour, corners[0], corners[1], z);
    kept = d;
    (void)squared_length(d.x, d.y, d.z);
  });
  s.listed = listed_separation + s.test;
  const auto known = [] {};
  const auto one_of_several = [] { find_tables<C>(); };
  const PairTileTables<C> pair{radial.data(), radial.data(), 7, C(1.0f)};
  const PairSquaredTileTables<C> pair_squares{embedding.data(), radial.data(), radial.data(),
                                              C(1.0f),          C(0.5f),       C(7.0f)};
  const bool over_r = table == RadialTable::over_r;
  if (composition == Composition::alloy)
    over_r ? count_neighbour(pair, one_of_several, s) : count_neighbour(pair_squares, one_of_several, s);
  else
    over_r ? count_neighbour(tables, known, s) : count_neighbour(squares, known, s);
  s.untested_density = listed_separation + s.density_in_test + counted([] { OnTile<C>::loop_end(); });
  s.embedding = counted([&] { embed(tables.embedding, tables.nrho, tables.inverse_drho, sum); });
  s.integration = counted([&] {
    const auto halfway = kicked(velocity, acting, C(1.0f), C(0.5f));
    new_velocity = halfway;
    new_position = drifted(position, halfway, C(1.0f));
    new_velocity = kicked(new_velocity, acting, C(1.0f), C(0.5f));
  });
  s.time_step = counted([&] {
    longest_time_step<C>(velocity.x, velocity.y, velocity.z, acting.x, acting.y, acting.z, C(1.0f),
                         StepLimits<C>{1.0f, 0.0f}, C(1.0f));
  });
  const StoppingLaw<C> law{false, 1.0f, 10.0f, nullptr, nullptr, 0};
  const auto stopping = [&](float v2) {
    return counted([&] {
      const Vector<C> v = velocity;
      OnTile<C>::branch();
      const C factor = slowing(law, C(1.0f), squared_length(v.x, v.y, v.z) * C(0.0f) + C(v2), C(1.0f));
      if (v2 > 0.0f) scaled(v, factor);
    });
  };
  s.slow = stopping(100.0f);
  s.not_slow = stopping(0.0f);
  QuietRegion<C> quiet{{0.0f, 0.0f, 0.0f}, {9.0f, 9.0f, 9.0f}};
  for (C* bound : {quiet.lo, quiet.hi})
    for (int axis = 0; axis < 3; ++axis) bound[axis].keep_in_memory();
  s.no_bath = counted([&] {
    OnTile<C>::branch();
    (void)quiet.holds(position.x, position.y, position.z);
  });
  s.bath = s.no_bath + counted([&] {
             wse::count(wse::Operation::integer, random_words_instructions);
             wse::count(wse::Operation::convert, 4);
             const auto bath = heat_bath(C(0.1f), C(1.0f));
             const auto g = box_muller(C(0.5f), C(0.5f), C(0.5f), C(0.5f));
             // The velocity is still in registers.
             new_velocity.x = bathed(bath, a.x, g.x);
             new_velocity.y = bathed(bath, a.y, g.y);
             new_velocity.z = bathed(bath, a.z, g.z);
           });
  s.swap_partner = counted(
      [&] { (void)swap_gain(separation(a, b, C(0.5f), C(0.5f), z), separation(b, a, C(0.5f), C(0.5f), z)); });
  return s;
}

StepCode::StepCode(const wse::Machine& m, const SectionCounts& c, int batches)
    : distance(wse::Section::vector(m, c.distance, {.batches = batches})),
      test(wse::Section::scalar(m, c.test)),
      enter(wse::Section::scalar(m, c.enter)),
      listed(wse::Section::scalar(m, c.listed)),
      density(wse::Section::scalar(m, c.density)),
      density_in_test(wse::Section::scalar(m, c.density_in_test)),
      untested_density(wse::Section::scalar(m, c.untested_density)),
      force(wse::Section::scalar(m, c.force)),
      embedding(wse::Section::scalar(m, c.embedding)),
      integration(wse::Section::scalar(m, c.integration)),
      time_step(wse::Section::scalar(m, c.time_step)),
      slow(wse::Section::scalar(m, c.slow)),
      not_slow(wse::Section::scalar(m, c.not_slow)),
      bath(wse::Section::scalar(m, c.bath)),
      no_bath(wse::Section::scalar(m, c.no_bath)),
      swap_partner(wse::Section::scalar(m, c.swap_partner)) {}

}  // namespace wafermark::tungsten
