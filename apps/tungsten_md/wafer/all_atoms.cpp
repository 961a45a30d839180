// What concerns all atoms of the wafer at once: WaferSimulation's state, sums and thermodynamics.
#include <algorithm>

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/dynamics/thermo.hpp"
#include "tungsten_md/model/units.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {

Thermo WaferSimulation::measure_all(const AllAtoms& all) const {
  const Communicator alone(MPI_COMM_SELF);
  EnergyVirial sums;
  for (std::size_t k = 0; k < all.energy_ev.size(); ++k) {
    sums.energy += all.energy_ev[k];
    sums.virial[0] += all.virial_ev[k];
  }
  Thermo t =
      measure(alone, to_device(all.configuration.atoms, all.configuration.masses), sums, atoms(), start_.box);
  t.pressure_axes_gpa.reset();
  return t;
}

Configuration WaferSimulation::configuration() const {
  Configuration c{start_.box, start_.elements, start_.masses, {}, time_ps_, step_};
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const TileAtom& a = block_->atom(i);
    if (a.id < 0) continue;
    c.atoms.id.push_back(a.id);
    c.atoms.type.push_back(a.type);
    c.atoms.x.push_back(start_.box.wrap(block_->position(i)));
    c.atoms.v.push_back({a.v.x, a.v.y, a.v.z});
  }
  return c;
}

WaferSimulation::AllAtoms WaferSimulation::all_atoms() const {
  const Configuration mine = configuration();
  std::vector<double> rows;
  constexpr std::size_t columns = 13;
  rows.reserve(columns * mine.atoms.size());
  std::size_t k = 0;
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const TileAtom& a = block_->atom(i);
    if (a.id < 0) continue;
    const Vec3 &x = mine.atoms.x[k], &v = mine.atoms.v[k];
    rows.insert(rows.end(),
                {x[0], x[1], x[2], v[0], v[1], v[2], static_cast<double>(a.f.x), static_cast<double>(a.f.y),
                 static_cast<double>(a.f.z), block_->energy_ev(i), block_->virial_ev(i),
                 static_cast<double>(block_->neighbours(i)), static_cast<double>(a.type)});
    ++k;
  }
  const auto ids = comm_.all_gather(mine.atoms.id);
  const auto all = comm_.all_gather(rows);
  AllAtoms out;
  out.configuration = mine;
  Atoms& atoms = out.configuration.atoms;
  atoms.id = start_.atoms.id;
  atoms.type.resize(ids.size());
  atoms.x.resize(ids.size());
  atoms.v.resize(ids.size());
  out.forces.resize(ids.size());
  out.energy_ev.resize(ids.size());
  out.virial_ev.resize(ids.size());
  out.neighbours.resize(ids.size());
  for (std::size_t j = 0; j < ids.size(); ++j) {
    const auto to = static_cast<std::size_t>(std::lower_bound(atoms.id.begin(), atoms.id.end(), ids[j]) -
                                             atoms.id.begin());
    const double* row = &all[columns * j];
    atoms.x[to] = {row[0], row[1], row[2]};
    atoms.v[to] = {row[3], row[4], row[5]};
    out.forces[to] = {row[6], row[7], row[8]};
    out.energy_ev[to] = row[9];
    out.virial_ev[to] = row[10];
    out.neighbours[to] = static_cast<int>(row[11]);
    atoms.type[to] = static_cast<int>(row[12]);
  }
  return out;
}

double WaferSimulation::ordered_sum(const std::vector<double>& of_tiles) const {
  // Few tiles have anything to add: their numbers and values travel, and are summed in the order of tile
  // numbers.
  std::vector<std::int64_t> tiles;
  std::vector<double> values;
  for (std::size_t i = 0; i < of_tiles.size(); ++i) {
    if (of_tiles[i] == 0.0) continue;
    tiles.push_back(block_->number(i));
    values.push_back(of_tiles[i]);
  }
  tiles = comm_.all_gather(tiles);
  values = comm_.all_gather(values);
  std::vector<std::size_t> order(tiles.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::sort(order.begin(), order.end(), [&](std::size_t p, std::size_t q) { return tiles[p] < tiles[q]; });
  double sum = 0.0;
  for (const std::size_t k : order) sum += values[k];
  return sum;
}

std::int64_t WaferSimulation::hot_atoms_at_border(double width, double energy_ev) const {
  std::int64_t hot = 0;
  const Box& box = start_.box;
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const TileAtom& a = block_->atom(i);
    if (a.id < 0) continue;
    const double kinetic = 0.5 * start_.masses[static_cast<std::size_t>(a.type)] *
                           units::amu_a2_per_ps2_in_ev *
                           static_cast<double>(squared_length(a.v.x, a.v.y, a.v.z));
    if (kinetic <= energy_ev) continue;
    const Vec3 x = box.wrap(block_->position(i));
    bool near = false;
    for (std::size_t d = 0; d < 3; ++d) near = near || x[d] < box.lo[d] + width || x[d] > box.hi[d] - width;
    hot += near ? 1 : 0;
  }
  return comm_.sum(hot);
}

}  // namespace wafermark::tungsten
