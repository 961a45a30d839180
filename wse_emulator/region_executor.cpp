#include "wse_emulator/region_executor.hpp"

#include <fmt/format.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::wse {
namespace {

const RegionPattern& of_regions(const Phase& phase) {
  const auto* pattern = dynamic_cast<const RegionPattern*>(phase.pattern());
  if (pattern == nullptr)
    throw std::invalid_argument(
        fmt::format("phase '{}': found a pattern of all tiles, expected one of regions", phase.name()));
  return *pattern;
}

/// Whole cycles of a step of a stream by its number of items, for a tile that takes the words from the fabric
/// and for the root, which has them.
class StepPrices {
 public:
  StepPrices(const Machine& machine, const StreamWork& work) : work_(&work) {
    receive_[1] = receive_cycles(machine, work.steps.words);
    const std::vector<int>& items = work.steps.items;
    most_ = items.empty() ? 0 : *std::max_element(items.begin(), items.end());
    for (const int always : work.steps.always)
      if (static_cast<std::size_t>(always) >= by_always_.size())
        by_always_.resize(static_cast<std::size_t>(always) + 1);
    for (const int always : work.steps.always) fill(always);
  }

  const std::int64_t* of(int always, bool from_fabric) const {
    return by_always_[static_cast<std::size_t>(always)][from_fabric ? 1 : 0].data();
  }

 private:
  void fill(int always) {
    auto& tables = by_always_[static_cast<std::size_t>(always)];
    if (!tables[0].empty()) return;
    const double all = work_->always.cycles(always);
    for (int k = 0; k < 2; ++k)
      for (int items = 0; items <= most_; ++items)
        tables[static_cast<std::size_t>(k)].push_back(
            whole_cycles(receive_[k] + (all + work_->each.cycles(items))));
  }

  const StreamWork* work_;
  double receive_[2] = {0.0, 0.0};
  int most_;
  std::vector<std::array<std::vector<std::int64_t>, 2>> by_always_;
};

using Tiles = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;

}  // namespace

RegionExecutor::RegionExecutor(const Communicator& comm, const Blocks& blocks, const Machine& machine,
                               RegionTimes& times)
    : comm_(&comm),
      machine_(machine),
      times_(&times),
      record_(comm, blocks, machine),
      clocks_(comm, blocks, record_),
      link_words_(comm, blocks) {}

std::size_t RegionExecutor::load(Program program) {
  reject_collisions(machine_.fabric, program.patterns(clocks_.blocks().grid()));
  Loaded loaded{std::move(program), {}, {}};
  for (const Phase& phase : loaded.program.phases()) {
    std::size_t moving = 0, computing = 0;
    const bool works = !phase.work().empty() || phase.stream() != nullptr;
    if (works) computing = record_.phase(phase.name(), PhaseKind::compute);
    if (phase.pattern() != nullptr) {
      of_regions(phase);
      // Words of a stream are taken by the instructions that work on them.
      if (phase.stream() == nullptr)
        moving = record_.phase(works ? phase.name() + "_words" : phase.name(), PhaseKind::fabric);
    }
    loaded.moving.push_back(moving);
    loaded.computing.push_back(computing);
  }
  programs_.push_back(std::move(loaded));
  return programs_.size() - 1;
}

void RegionExecutor::run(std::size_t program) {
  const Loaded& loaded = programs_[program];
  for (std::size_t k = 0; k < loaded.program.phases().size(); ++k) {
    const Phase& phase = loaded.program.phases()[k];
    if (!phase.due()) continue;
    phase.run();
    const Region region(*times_, "clocks");
    clocks_.join();
    clocks_.begin(loaded.moving[k], loaded.computing[k]);
    if (phase.stream() != nullptr)
      stream(phase);
    else if (phase.pattern() != nullptr)
      of_regions(phase).advance(machine_.fabric, clocks_);
    else if (!phase.work().empty())
      compute(phase);
    if (phase.pattern() != nullptr) phase.pattern()->add_words(machine_.fabric, 1, link_words_);
    count(phase);
    if (phase.event() == Phase::Event::awaited) wait(phase);
    if (phase.event() == Phase::Event::reached) reach(phase);
  }
}

void RegionExecutor::compute(const Phase& phase) {
  const Block& all = phase.tiles();
  const std::vector<Work>& work = phase.work();
  for (int y = all.y0; y < all.y0 + all.height; ++y) {
    std::int64_t of_items = -1, cycles = 0;  // neighbours mostly have as many
    for (int x = all.x0; x < all.x0 + all.width; ++x) {
      const int row = y - all.y0, column = x - all.x0;
      const std::int64_t items = work.front().items().at(row, column, all.width);
      if (items != of_items || work.size() > 1) {
        double sum = work.front().section(row).cycles(items);
        for (std::size_t k = 1; k < work.size(); ++k)
          sum += work[k].section(row).cycles(work[k].items().at(row, column, all.width));
        cycles = whole_cycles(sum);
        of_items = items;
      }
      clocks_.compute(x, y, cycles);
    }
  }
}

void RegionExecutor::stream(const Phase& phase) {
  const Lines& lines = phase.stream()->lines();
  const StreamWork& work = *phase.stream_work();
  const Steps& steps = work.steps;
  const Block mine = intersection(lines.tiles, clocks_.blocks().mine());
  const auto line_of = [&](int x, int y) {
    return lines.along_rows ? y - lines.tiles.y0 : x - lines.tiles.x0;
  };
  std::vector<std::int64_t> starts;  // when the roots begin to send
  for (int line = 0; line < lines.number(); ++line)
    starts.push_back(clocks_.at(lines.x(line, lines.root), lines.y(line, lines.root)));
  // The last word of each step behind the first of all; the root has them all when it begins.
  std::int64_t most = 0;
  for (std::size_t t = 0; t < steps.tiles(); ++t) most = std::max(most, steps.first[t + 1] - steps.first[t]);
  std::array<std::vector<std::int64_t>, 2> last_words;
  last_words[0].assign(static_cast<std::size_t>(most), 0);
  for (std::int64_t k = 1; k <= most; ++k)
    last_words[1].push_back(machine_.fabric.cycles_of(k * steps.words) - machine_.fabric.cycles_of(1));
  const StepPrices prices(machine_, work);
  std::vector<std::int64_t> before(steps.tiles()), computed(steps.tiles());
  const auto run_tile = [&](std::int64_t k) {
    const auto tile = static_cast<std::size_t>(k);
    const int x = mine.x0 + static_cast<int>(k % mine.width), y = mine.y0 + static_cast<int>(k / mine.width);
    const int distance = std::abs((lines.along_rows ? x - lines.tiles.x0 : y - lines.tiles.y0) - lines.root);
    const std::int64_t start = starts[static_cast<std::size_t>(line_of(x, y))];
    const std::int64_t first = LineBroadcast::first_word(machine_.fabric, start, distance);
    const std::int64_t* behind = last_words[distance > 0 ? 1 : 0].data();
    const std::int64_t* cycles = prices.of(steps.always[tile], distance > 0);
    std::int64_t& clock = *clocks_.from(x, y);
    std::int64_t now = clock, sum = 0;
    before[tile] = now;
    for (std::int64_t s = steps.first[tile]; s < steps.first[tile + 1]; ++s, ++behind) {
      const std::int64_t of_step = cycles[steps.items[static_cast<std::size_t>(s)]];
      now = std::max(now, first + *behind) + of_step;
      sum += of_step;
    }
    clock = now;
    computed[tile] = sum;
  };
  // To wake threads takes longer than a few steps.
  const auto tiles = static_cast<std::int64_t>(steps.tiles());
  if (steps.items.size() > 100000)
    Kokkos::parallel_for("streams", Tiles(0, tiles), run_tile);
  else
    for (std::int64_t k = 0; k < tiles; ++k) run_tile(k);
  for (std::size_t tile = 0; tile < steps.tiles(); ++tile) {
    const auto k = static_cast<int>(tile);
    clocks_.book(mine.x0 + k % mine.width, mine.y0 + k / mine.width, before[tile], 0, computed[tile]);
  }
  clocks_.moved_by_owners(lines.tiles);
}

void RegionExecutor::count(const Phase& phase) {
  const Block& all = phase.tiles();
  const Block mine = intersection(all, clocks_.blocks().mine());
  for (const Work& w : phase.work())
    for (int y = mine.y0; y < mine.y0 + mine.height; ++y) {
      std::int64_t items = 0;
      for (int x = mine.x0; x < mine.x0 + mine.width; ++x)
        items += w.items().at(y - all.y0, x - all.x0, all.width);
      if (items > 0) operations_ += w.section(y - all.y0).operations(items);
    }
  if (const StreamWork* w = phase.stream_work()) {
    std::int64_t items = 0, always = 0;
    for (const int n : w->steps.items) items += n;
    for (std::size_t t = 0; t < w->steps.tiles(); ++t)
      always += w->steps.always[t] * (w->steps.first[t + 1] - w->steps.first[t]);
    operations_ += w->each.operations(items) + w->always.operations(always);
  }
}

void RegionExecutor::wait(const Phase& phase) {
  const Block& tiles = phase.tiles();
  const std::vector<int>& events = phase.events();
  std::size_t k = 0;
  for (int y = tiles.y0; y < tiles.y0 + tiles.height; ++y)
    for (int x = tiles.x0; x < tiles.x0 + tiles.width; ++x, ++k)
      if (events[k] >= 0 && static_cast<std::size_t>(events[k]) < events_.size())
        clocks_.wait_until(x, y, events_[static_cast<std::size_t>(events[k])], 0);
}

void RegionExecutor::reach(const Phase& phase) {
  const std::int64_t now = clocks_.latest(phase.tiles());
  reached_ = std::max(reached_, now);
  for (const int event : phase.events()) {
    const auto e = static_cast<std::size_t>(event);
    if (e >= events_.size()) events_.resize(e + 1, 0);
    events_[e] = now;
  }
}

std::int64_t RegionExecutor::word_hops() const { return comm_->sum(link_words_.word_hops()); }

OperationCounts RegionExecutor::operations() const {
  OperationCounts all = operations_;
  for (std::int64_t& count : all.n) count = comm_->sum(count);
  return all;
}

double RegionExecutor::dynamic_joules() const {
  return wse::dynamic_joules(machine_, operations(), word_hops());
}

double RegionExecutor::utilisation() const { return record_.utilisation(reached_); }

}  // namespace wafermark::wse
