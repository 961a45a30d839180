// Checkpoints of the machine: every tile's atom and clock.
#include <fmt/format.h>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {

void WaferSimulation::save(const std::string& path, const std::string& deck) const {
  std::vector<std::int64_t> tiles;
  std::vector<float> state;
  const wse::Block& b = blocks_.mine();
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const TileAtom& a = block_->atom(i);
    const auto width = static_cast<std::size_t>(b.width);
    tiles.insert(tiles.end(),
                 {plan_.layout.tile(b.x0 + static_cast<int>(i % width), b.y0 + static_cast<int>(i / width)),
                  a.id, clocks_[i]});
    state.insert(state.end(), {a.x.x, a.x.y, a.x.z, a.v.x, a.v.y, a.v.z, a.f.x, a.f.y, a.f.z});
  }
  const Missed missed_before = missed();
  Hdf5File file = Hdf5File::create(comm_, path);
  const Rows rows = Rows::of(comm_, block_->tiles());
  file.write("/wafer/tile_id_clock", tiles, rows, 3, true);
  file.write("/wafer/state", state, rows, 9, true);
  const char* at = "/wafer";
  file.set_attribute(at, "deck", deck);
  file.set_attribute(at, "width", plan_.layout.grid.width);
  file.set_attribute(at, "height", plan_.layout.grid.height);
  file.set_attribute(at, "step", step_);
  file.set_attribute(at, "pkas_fired", static_cast<std::int64_t>(pkas_fired_));
  file.set_attribute(at, "missed_interactions", missed_before.interactions);
  file.set_attribute(at, "first_missed_step", missed_before.first_step);
  file.set_attribute(at, "numbers",
                     std::vector<double>{time_ps_, time_step_.current(), ledger_.initial_ev, ledger_.pka_ev,
                                         ledger_.stopping_ev, ledger_.thermostat_ev});
  file.commit();
}

void WaferSimulation::resume(const std::string& path) {
  const Hdf5File file = Hdf5File::open(comm_, path);
  const char* at = "/wafer";
  if (!file.exists(at))
    throw InputError(fmt::format("{}: found no wafer in it, expected a checkpoint of --target wafer", path));
  const auto width = file.attribute<int>(at, "width"), height = file.attribute<int>(at, "height");
  const auto& grid = plan_.layout.grid;
  const auto total = static_cast<std::uint64_t>(grid.tiles());
  if (width != grid.width || height != grid.height || file.shape("/wafer/state").at(0) != total)
    throw InputError(fmt::format("{}: found {} x {} tiles, expected the {} x {} of this deck", path, width,
                                 height, grid.width, grid.height));
  const Rows all{total, 0, total};
  const auto tiles = file.read<std::int64_t>("/wafer/tile_id_clock", all, 3);
  const auto state = file.read<float>("/wafer/state", all, 9);
  const wse::Block& b = blocks_.mine();
  for (std::size_t k = 0; k < total; ++k) {
    const int x = static_cast<int>(tiles[3 * k] % width) - b.x0,
              y = static_cast<int>(tiles[3 * k] / width) - b.y0;
    if (x < 0 || x >= b.width || y < 0 || y >= b.height) continue;
    const auto i =
        static_cast<std::size_t>(y) * static_cast<std::size_t>(b.width) + static_cast<std::size_t>(x);
    const float* s = &state[9 * k];
    block_->atom(i) = {tiles[3 * k + 1], {s[0], s[1], s[2]}, {s[3], s[4], s[5]}, {s[6], s[7], s[8]}};
    clocks_[i] = tiles[3 * k + 2];
  }
  block_->atoms_changed();
  step_ = file.attribute<std::int64_t>(at, "step");
  pkas_fired_ = static_cast<std::size_t>(file.attribute<std::int64_t>(at, "pkas_fired"));
  const auto missed = file.attribute<std::int64_t>(at, "missed_interactions");
  missed_ = {comm_.is_root() ? missed : 0, file.attribute<std::int64_t>(at, "first_missed_step")};
  const auto numbers = file.attribute_list<double>(at, "numbers");
  first_cycle_ = clocks_.latest();
  time_ps_ = numbers.at(0);
  time_step_.resume(numbers.at(1));
  // Energies of these positions; the run goes on with the stored forces, whose bits these have too.
  evaluate_energy();
  ledger_ = {numbers.at(2), numbers.at(3), numbers.at(4), numbers.at(5)};
}

}  // namespace wafermark::tungsten
