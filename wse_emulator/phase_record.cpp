#include "wse_emulator/phase_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "common/results/result.hpp"

namespace wafermark::wse {
namespace {

const char* name_of(PhaseKind kind) {
  return kind == PhaseKind::compute ? "compute" : kind == PhaseKind::fabric ? "fabric" : "wait";
}

}  // namespace

PhaseRecord::PhaseRecord(const Communicator& comm, const Blocks& blocks, const Machine& machine)
    : comm_(&comm), blocks_(blocks), machine_(machine.name), clock_hz_(machine.clock_hz) {}

void PhaseRecord::trace(const std::vector<std::array<int, 2>>& tiles, std::int64_t steps) {
  const Block& b = blocks_.mine();
  const TileGrid& grid = blocks_.grid();
  for (const auto& [x, y] : tiles)
    if (x < 0 || x >= grid.width || y < 0 || y >= grid.height)
      throw InputError(
          fmt::format("trace: found tile {}, {}, expected one of the {} x {} tiles in use, counted from 0", x,
                      y, grid.width, grid.height));
  traced_.assign(static_cast<std::size_t>(b.tiles()), 0);
  for (const auto& [x, y] : tiles)
    if (b.x0 <= x && x < b.x0 + b.width && b.y0 <= y && y < b.y0 + b.height)
      traced_[static_cast<std::size_t>(y - b.y0) * static_cast<std::size_t>(b.width) +
              static_cast<std::size_t>(x - b.x0)] = 1;
  trace_steps_ = steps;
}

std::size_t PhaseRecord::phase(const std::string& name, PhaseKind kind) {
  for (std::size_t k = 0; k < phases_.size(); ++k)
    if (phases_[k].name == name) return k;
  phases_.push_back(
      {name, kind, std::vector<std::int64_t>(static_cast<std::size_t>(blocks_.mine().tiles()), 0)});
  return phases_.size() - 1;
}

std::vector<PhaseRecord::Summary> PhaseRecord::summarize() const {
  std::vector<Summary> all;
  const double steps = static_cast<double>(std::max<std::int64_t>(1, steps_));
  for (const auto& p : phases_) {
    std::int64_t least = p.cycles.front(), most = p.cycles.front(), sum = 0;
    for (const auto c : p.cycles) {
      least = std::min(least, c);
      most = std::max(most, c);
      sum += c;
    }
    all.push_back(
        {p.name, p.kind, static_cast<double>(comm_->min(least)) / steps,
         static_cast<double>(comm_->sum(sum)) / (steps * static_cast<double>(blocks_.grid().tiles())),
         static_cast<double>(comm_->max(most)) / steps});
  }
  return all;
}

nlohmann::json PhaseRecord::summary_json() const {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& s : summarize())
    rows.push_back(
        {{"phase", s.name}, {"kind", name_of(s.kind)}, {"min", s.min}, {"mean", s.mean}, {"max", s.max}});
  return rows;
}

std::vector<std::int64_t> PhaseRecord::busy() const {
  std::vector<std::int64_t> sum(static_cast<std::size_t>(blocks_.mine().tiles()), 0);
  for (const auto& p : phases_)
    if (p.kind == PhaseKind::compute)
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += p.cycles[k];
  return sum;
}

double PhaseRecord::utilisation(std::int64_t passed) const {
  const std::vector<std::int64_t> of_tiles = busy();
  const std::int64_t all = comm_->sum(std::accumulate(of_tiles.begin(), of_tiles.end(), std::int64_t{0}));
  return static_cast<double>(all) /
         (static_cast<double>(blocks_.grid().tiles()) * static_cast<double>(passed));
}

std::vector<std::int64_t> PhaseRecord::on_panels(const std::vector<std::int64_t>& mine) const {
  const TileGrid& grid = blocks_.grid();
  std::vector<std::vector<std::int64_t>> parts(static_cast<std::size_t>(comm_->size()));
  parts[0] = mine;
  const auto got = comm_->all_to_all(parts);
  if (!comm_->is_root()) return {};
  const auto [width, height] = grid.extent();
  std::vector<std::int64_t> picture(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
  for (int rank = 0; rank < comm_->size(); ++rank) {
    const Block part = blocks_.of(rank);
    auto next = got[static_cast<std::size_t>(rank)].begin();
    for (int y = part.y0; y < part.y0 + part.height; ++y)
      for (int x = part.x0; x < part.x0 + part.width; ++x) {
        const auto at = grid.place(x, y);
        picture[static_cast<std::size_t>(std::int64_t{at[1]} * width + at[0])] = *next++;
      }
  }
  return picture;
}

void PhaseRecord::write_heat_map(const std::string& path,
                                 const std::map<std::string, std::vector<std::int64_t>>& words) const {
  const TileGrid& grid = blocks_.grid();
  const auto width = static_cast<std::size_t>(grid.extent()[0]);
  // Rows of the file are whole rows of the grid: every rank gives the rows it owns to the first rank of its
  // band.
  const auto collect = [&](const std::vector<std::int64_t>& mine) {
    if (grid.layers() > 1) return on_panels(mine);
    std::vector<std::vector<std::int64_t>> parts(static_cast<std::size_t>(comm_->size()));
    const int band = comm_->rank() / blocks_.across() * blocks_.across();
    parts[static_cast<std::size_t>(band)] = mine;
    const auto got = comm_->all_to_all(parts);
    std::vector<std::int64_t> rows;
    if (comm_->rank() != band) return rows;
    const Block& b = blocks_.mine();
    rows.resize(static_cast<std::size_t>(b.height) * static_cast<std::size_t>(grid.width));
    for (int r = band; r < band + blocks_.across(); ++r) {
      const Block part = blocks_.of(r);
      const auto& values = got[static_cast<std::size_t>(r)];
      for (int y = 0; y < part.height; ++y)
        std::copy_n(values.begin() + std::ptrdiff_t{y} * part.width, part.width,
                    rows.begin() + std::ptrdiff_t{y} * grid.width + part.x0);
    }
    return rows;
  };
  Hdf5File file = Hdf5File::create(*comm_, path);
  const auto write = [&](const std::string& name, const std::vector<std::int64_t>& mine) {
    const auto rows = collect(mine);
    file.write(name, rows, Rows::of(*comm_, rows.size() / width), width);
  };
  for (const auto& p : phases_) write("/phases/" + p.name, p.cycles);
  write("/busy", busy());
  for (const auto& [name, mine] : words) write("/words/" + name, mine);
  file.set_attribute("/phases", "machine", machine_);
  file.set_attribute("/phases", "clock_hz", clock_hz_);
  file.set_attribute("/phases", "steps", steps_);
  file.set_attribute("/phases", "unit", "cycles, summed over the steps");
  file.commit();
}

void PhaseRecord::write_trace(const std::string& path) const {
  std::vector<std::int64_t> mine;
  const Block& b = blocks_.mine();
  for (const auto& e : events_) {
    const std::int64_t x = b.x0 + e.tile % b.width, y = b.y0 + e.tile / b.width;
    mine.insert(mine.end(),
                {static_cast<std::int64_t>(e.phase), y * blocks_.grid().width + x, e.begin, e.end});
  }
  const auto all = comm_->all_gather(mine);
  if (all.empty() || !comm_->is_root()) return;
  nlohmann::json events = nlohmann::json::array();
  const double microsecond = 1e6 / clock_hz_;
  for (std::size_t k = 0; k < all.size(); k += 4) {
    const auto& phase = phases_[static_cast<std::size_t>(all[k])];
    events.push_back({{"name", phase.name},
                      {"cat", name_of(phase.kind)},
                      {"ph", "X"},
                      {"pid", machine_},
                      {"tid", fmt::format("tile {},{}", all[k + 1] % blocks_.grid().width,
                                          all[k + 1] / blocks_.grid().width)},
                      {"ts", static_cast<double>(all[k + 2]) * microsecond},
                      {"dur", static_cast<double>(all[k + 3] - all[k + 2]) * microsecond}});
  }
  write_text_file(path, nlohmann::json{{"traceEvents", events}, {"displayTimeUnit", "ns"}}.dump());
}

}  // namespace wafermark::wse
