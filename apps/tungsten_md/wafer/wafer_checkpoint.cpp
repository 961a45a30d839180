// Checkpoints of the machine: every tile's atom and clock.
#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "common/hdf5_json.hpp"
#include "tungsten_md/model/recoils.hpp"
#include "tungsten_md/wafer/wafer_simulation.hpp"

namespace wafermark::tungsten {

namespace {

constexpr const char* format_name = "wafermark-wafer-checkpoint-3";

EnergyLedger ledger_of(const nlohmann::json& numbers) {
  return {.initial_ev = numbers.at("initial_ev"),
          .pka_ev = numbers.at("pka_ev"),
          .stopping_ev = numbers.at("stopping_ev"),
          .thermostat_ev = numbers.at("thermostat_ev"),
          .lost_ev = numbers.value("lost_ev", 0.0)};
}

}  // namespace

void WaferSimulation::save(const std::string& path, const std::string& former_becomes,
                           const std::string& deck, const nlohmann::json& run) const {
  std::vector<std::int64_t> tiles;
  std::vector<float> state;
  std::vector<double> places;  // in the box, for the other target
  for (std::size_t i = 0; i < block_->tiles(); ++i) {
    const TileAtom& a = block_->atom(i);
    const Vec3 at = a.id < 0 ? Vec3{} : start_.box.wrap(block_->position(i));
    places.insert(places.end(), {static_cast<double>(a.type), at[0], at[1], at[2]});
    tiles.insert(tiles.end(), {block_->number(i), a.id, executor_.clocks()[block_->mover(i)]});
    state.insert(state.end(), {a.x.x, a.x.y, a.x.z, a.v.x, a.v.y, a.v.z, a.f.x, a.f.y, a.f.z});
  }
  const Missed missed_before = missed();
  Hdf5File file = Hdf5File::create(comm_, path);
  const Rows rows = Rows::of(comm_, block_->tiles());
  file.write("/wafer/tile_id_clock", tiles, rows, 3, true);
  file.write("/wafer/state", state, rows, 9, true);
  file.write("/wafer/type_and_place", places, rows, 4, true);
  const nlohmann::json numbers{{"time_ps", time_ps_},
                               {"timestep_ps", time_step_.current()},
                               {"timestep_limit_ps", time_step_limit_},
                               {"steps_too_long", static_cast<double>(steps_too_long_)},
                               {"initial_ev", ledger_.initial_ev},
                               {"pka_ev", ledger_.pka_ev},
                               {"stopping_ev", ledger_.stopping_ev},
                               {"thermostat_ev", ledger_.thermostat_ev},
                               {"lost_ev", ledger_.lost_ev}};
  write_json(
      file, comm_, "/header",
      {{"format", format_name},
       {"deck", deck},
       {"run", run},
       {"width", plan_.layout.grid.width},
       {"height", plan_.layout.grid.height},
       {"layers", plan_.layout.layers()},
       {"step", step_},
       {"pkas_fired", pkas_fired_},
       {"lost_atoms", lost_atoms_},
       {"time_ps", time_ps_},
       {"box", {{"lo", start_.box.lo}, {"hi", start_.box.hi}, {"periodic", start_.box.periodic}}},
       {"elements", start_.elements},
       {"masses_amu", start_.masses},
       {"recoils", recoils_to_json(recoils_)},
       {"missed", {{"interactions", missed_before.interactions}, {"first_step", missed_before.first_step}}},
       {"numbers", numbers}});
  file.commit(former_becomes);
}

void WaferSimulation::resume(const std::string& path) {
  nlohmann::json header;
  std::vector<std::int64_t> tiles;
  std::vector<float> state;
  std::vector<double> types;  // and places
  const auto& grid = plan_.layout.grid;
  const auto total = static_cast<std::uint64_t>(plan_.layout.tiles());
  try {
    const Hdf5File file = Hdf5File::open(comm_, path);
    if (!file.exists("/wafer"))
      throw InputError(
          fmt::format("{}: found no wafer in it, expected a checkpoint of --target wafer", path));
    header = read_json(file, "/header");
    if (header.at("format") != format_name)
      throw InputError(
          fmt::format("{}: found format {}, expected {}", path, header.at("format").dump(), format_name));
    const int width = header.at("width"), height = header.at("height"), layers = header.value("layers", 1);
    if (width != grid.width || height != grid.height || layers != plan_.layout.layers() ||
        file.shape("/wafer/state").at(0) != total)
      throw InputError(fmt::format(
          "{}: found {} x {} tiles in {} layer{}, expected the {} x {} in {} of this deck", path, width,
          height, layers, layers == 1 ? "" : "s", grid.width, grid.height, plan_.layout.layers()));
    const Rows all{total, 0, total};
    tiles = file.read<std::int64_t>("/wafer/tile_id_clock", all, 3);
    state = file.read<float>("/wafer/state", all, 9);
    types = file.read<double>("/wafer/type_and_place", all, 4);
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {  // of the JSON library, on all ranks
    throw InputError(fmt::format("{}: found {}, expected a complete checkpoint", path, e.what()));
  }
  for (std::size_t k = 0; k < total; ++k) {
    const std::optional<std::size_t> i = block_->with_number(tiles[3 * k]);
    if (!i) continue;
    const float* s = &state[9 * k];
    block_->atom(*i) = {tiles[3 * k + 1],
                        static_cast<int>(types[4 * k]),
                        {s[0], s[1], s[2]},
                        {s[3], s[4], s[5]},
                        {s[6], s[7], s[8]}};
    for (const std::size_t tile : block_->machine_tiles(*i)) executor_.clocks()[tile] = tiles[3 * k + 2];
  }
  std::vector<std::int64_t> there;
  for (std::size_t k = 0; k < total; ++k) there.push_back(tiles[3 * k + 1]);
  std::sort(there.begin(), there.end());
  keep_atoms([&](std::int64_t id) { return std::binary_search(there.begin(), there.end(), id); });
  lost_atoms_ = header.value("lost_atoms", std::int64_t{0});
  step_ = header.at("step");
  pkas_fired_ = header.at("pkas_fired");
  recoils_ = recoils_from_json(header.at("recoils"));
  const auto& missed = header.at("missed");
  missed_ = {comm_.is_root() ? missed.at("interactions").get<std::int64_t>() : 0, missed.at("first_step")};
  const nlohmann::json& numbers = header.at("numbers");
  first_cycle_ = executor_.clocks().latest();
  time_ps_ = numbers.at("time_ps");
  time_step_.resume(numbers.at("timestep_ps"));
  time_step_limit_ = numbers.value("timestep_limit_ps", 0.0);
  steps_too_long_ = static_cast<std::int64_t>(numbers.value("steps_too_long", 0.0));
  if (plan_.tables.elements.size() > 1) send_types();
  // Energies of these positions; the run goes on with the stored forces, whose bits these have too.
  evaluate_energy();
  ledger_ = ledger_of(numbers);
}

CarriedState read_wafer_checkpoint(const Communicator& comm, const std::string& path) {
  try {
    const Hdf5File file = Hdf5File::open(comm, path);
    const nlohmann::json header = read_json(file, "/header");
    if (header.at("format") != format_name)
      throw InputError(
          fmt::format("{}: found format {}, expected {}", path, header.at("format").dump(), format_name));
    const std::uint64_t total = file.shape("/wafer/state").at(0),
                        ranks = static_cast<std::uint64_t>(comm.size()),
                        rank = static_cast<std::uint64_t>(comm.rank()), first = total * rank / ranks;
    const Rows mine{total, first, total * (rank + 1) / ranks - first};
    const auto tiles = file.read<std::int64_t>("/wafer/tile_id_clock", mine, 3);
    const auto motion = file.read<float>("/wafer/state", mine, 9);
    const auto places = file.read<double>("/wafer/type_and_place", mine, 4);
    CarriedState state;
    Configuration& c = state.configuration;
    const auto& box = header.at("box");
    c.box = {box.at("lo").get<Vec3>(), box.at("hi").get<Vec3>(),
             box.at("periodic").get<std::array<bool, 3>>()};
    c.elements = header.at("elements").get<std::vector<std::string>>();
    c.masses = header.at("masses_amu").get<std::vector<double>>();
    c.step = header.at("step");
    c.time_ps = header.at("time_ps");
    for (std::size_t k = 0; k < mine.count; ++k) {
      if (tiles[3 * k + 1] < 0) continue;
      c.atoms.id.push_back(tiles[3 * k + 1]);
      c.atoms.type.push_back(static_cast<int>(places[4 * k]));
      c.atoms.x.push_back({places[4 * k + 1], places[4 * k + 2], places[4 * k + 3]});
      c.atoms.v.push_back({motion[9 * k + 3], motion[9 * k + 4], motion[9 * k + 5]});
    }
    const nlohmann::json& numbers = header.at("numbers");
    state.timestep_ps = numbers.at("timestep_ps");
    state.ledger = ledger_of(numbers);
    state.pkas_fired = header.at("pkas_fired");
    state.lost_atoms = header.at("lost_atoms");
    state.recoils = recoils_from_json(header.at("recoils"));
    return state;
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {  // of the JSON library, on all ranks
    throw InputError(fmt::format("{}: found {}, expected a complete checkpoint", path, message_of(e)));
  }
}

}  // namespace wafermark::tungsten
