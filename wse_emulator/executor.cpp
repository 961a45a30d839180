#include "wse_emulator/executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::wse {
namespace {

int widest_reach(const Program& program) {
  int reach = 0;
  for (const Phase& p : program.phases())
    if (p.pattern() != nullptr) reach = std::max(reach, p.pattern()->reach());
  return reach;
}

/// Throws std::invalid_argument for what only RegionExecutor runs.
const Program& accepted(const Program& program) {
  for (const Phase& p : program.phases()) {
    const bool of_all_tiles = p.tiles() == Block{} && p.event() == Phase::Event::none;
    if (!of_all_tiles || (p.pattern() != nullptr && p.pattern()->after() == After::paths))
      throw std::invalid_argument(
          fmt::format("phase '{}': found one of a region of tiles, expected all tiles or a pattern of all: "
                      "RegionExecutor runs it",
                      p.name()));
  }
  return program;
}

}  // namespace

Executor::Executor(const Communicator& comm, const Blocks& blocks, const Machine& machine, Program program,
                   std::vector<int> working, RegionTimes& times)
    : comm_(&comm),
      blocks_(blocks),
      machine_(machine),
      program_(std::move(program)),
      working_(std::move(working)),
      times_(&times),
      clocks_(comm, blocks, widest_reach(accepted(program_))),
      record_(comm, blocks, machine),
      books_(program_.phases().size()),
      wait_(record_.phase("wait_for_neighbours", PhaseKind::wait)),
      tasks_(record_.phase("task_starts", PhaseKind::compute)) {
  reject_collisions(machine_.fabric, program_.patterns(blocks.grid()));
  for (std::size_t k = 0; k < books_.size(); ++k) {
    const Phase& phase = program_.phases()[k];
    books_[k].items.assign(phase.work().size(), 0);
    books_[k].tiles.assign(phase.work().size(), 0);
    const bool has_work = !phase.work().empty(), has_pattern = phase.pattern() != nullptr;
    if (has_pattern && !has_work) books_[k].record = record_.phase(phase.name(), PhaseKind::fabric);
    if (has_work) books_[k].record = record_.phase(phase.name(), PhaseKind::compute);
    if (has_pattern && has_work) books_[k].words = record_.phase(phase.name() + "_words", PhaseKind::fabric);
  }
}

void Executor::run() {
  record_.begin_step();
  start(machine_.step_overhead_cycles);
  for (std::size_t k = 0; k < books_.size(); ++k) {
    const Phase& phase = program_.phases()[k];
    if (!phase.due()) continue;
    phase.run();
    const Region region(*times_, "clocks");
    ++books_[k].times;
    const bool has_work = !phase.work().empty();
    if (has_work) count_items(phase, books_[k]);
    if (phase.pattern() == nullptr) {
      if (has_work) compute(phase, books_[k]);
    } else {
      has_work ? stream(phase, books_[k]) : meet(phase, books_[k]);
      start(phase.receive_cycles(machine_, blocks_.grid()));
    }
  }
}

void Executor::count_items(const Phase& phase, Book& book) {
  const std::vector<Work>& work = phase.work();
  for (std::size_t k = 0; k < work.size(); ++k)
    for (const int items : work[k].items().of_tiles()) {
      book.items[k] += items;
      book.tiles[k] += items > 0;
    }
}

inline std::int64_t Executor::cycles_of(const Phase& phase, Book& book, std::size_t tile) {
  const std::vector<Work>& work = phase.work();
  if (work.size() != 1) {
    double cycles = 0.0;
    for (const Work& w : work) cycles += w.section().cycles(w.items().of_tiles()[tile]);
    return whole_cycles(cycles);
  }
  const int items = work.front().items().of_tiles()[tile];
  const auto n = static_cast<std::size_t>(items);
  if (n >= book.cycles_of.size()) book.cycles_of.resize(n + 1, -1);
  std::int64_t& cycles = book.cycles_of[n];
  if (cycles < 0) cycles = whole_cycles(work.front().section().cycles(items));
  return cycles;
}

void Executor::compute(const Phase& phase, Book& book) {
  for (std::size_t tile = 0; tile < clocks_.size(); ++tile) {
    const std::int64_t cycles = cycles_of(phase, book, tile);
    if (cycles == 0) continue;
    clocks_[tile] += cycles;
    record_.add(book.record, tile, cycles, clocks_[tile]);
  }
}

void Executor::start(double cycles) {
  const std::int64_t whole = whole_cycles(cycles);
  if (whole == 0) return;
  for (std::size_t tile = 0; tile < clocks_.size(); ++tile) {
    if (working_[tile] == 0) continue;
    clocks_[tile] += whole;
    record_.add(tasks_, tile, whole, clocks_[tile]);
  }
}

void Executor::wait_for_words(const Pattern& pattern, std::int64_t cycles) {
  before_.resize(clocks_.size());
  for (std::size_t tile = 0; tile < clocks_.size(); ++tile) before_[tile] = clocks_[tile];
  switch (pattern.after()) {
    case After::itself:
      for (std::size_t tile = 0; tile < clocks_.size(); ++tile) clocks_[tile] += cycles;
      break;
    case After::patch:
      clocks_.meet_patch(cycles);
      break;
    case After::neighbourhood:
      clocks_.meet_neighbourhood(pattern.reach(), cycles);
      break;
    case After::row:
      clocks_.meet_rows(cycles);
      break;
    case After::column:
      clocks_.meet_columns(cycles);
      break;
    case After::layers:
      clocks_.meet_layers(cycles);
      break;
    case After::everyone:
      clocks_.meet_all(cycles);
      break;
    case After::paths:  // refused
      break;
  }
  for (std::size_t tile = 0; tile < clocks_.size(); ++tile)
    record_.add(wait_, tile, clocks_[tile] - before_[tile] - cycles, clocks_[tile] - cycles);
}

void Executor::meet(const Phase& phase, Book& book) {
  const std::int64_t cycles = phase.pattern()->cycles(machine_.fabric, blocks_.grid());
  wait_for_words(*phase.pattern(), cycles);
  for (std::size_t tile = 0; tile < clocks_.size(); ++tile)
    record_.add(book.record, tile, cycles, clocks_[tile]);
}

void Executor::stream(const Phase& phase, Book& book) {
  const Pattern& pattern = *phase.pattern();
  const std::int64_t of_stream = pattern.cycles(machine_.fabric, blocks_.grid()),
                     first = pattern.first_word_cycles(machine_.fabric, blocks_.grid());
  wait_for_words(pattern, 0);
  for (std::size_t tile = 0; tile < clocks_.size(); ++tile) {
    const std::int64_t work = cycles_of(phase, book, tile),
                       all = std::max(of_stream, work > 0 ? first + work : 0);
    clocks_[tile] += all;
    record_.add(book.words, tile, all - work, clocks_[tile] - work);
    record_.add(book.record, tile, work, clocks_[tile]);
  }
}

std::int64_t Executor::items(const std::string& phase, std::size_t section) const {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < books_.size(); ++k)
    if (program_.phases()[k].name() == phase && section < books_[k].items.size())
      sum += books_[k].items[section];
  return comm_->sum(sum);
}

LinkWords Executor::link_words() const {
  LinkWords words(*comm_, blocks_);
  for (std::size_t k = 0; k < books_.size(); ++k)
    if (const Pattern* pattern = program_.phases()[k].pattern())
      pattern->add_words(machine_.fabric, books_[k].times, words);
  return words;
}

OperationCounts Executor::operations() const {
  OperationCounts all;
  for (std::size_t k = 0; k < books_.size(); ++k) {
    const std::vector<Work>& work = program_.phases()[k].work();
    for (std::size_t s = 0; s < work.size(); ++s) all += work[s].section().operations(books_[k].items[s]);
  }
  for (std::int64_t& count : all.n) count = comm_->sum(count);
  return all;
}

double Executor::dynamic_joules() const {
  return wse::dynamic_joules(machine_, operations(), comm_->sum(link_words().word_hops()));
}

double Executor::moving(const Phase& phase, const Book& book, const Machine& machine, double work) const {
  const double runs = static_cast<double>(book.times) * static_cast<double>(clocks_.size());
  const FabricTiming& f = machine.fabric;
  const auto cycles = static_cast<double>(phase.pattern()->cycles(f, blocks_.grid()));
  if (phase.work().empty() || runs == 0.0) return runs * cycles;
  const auto first = static_cast<double>(phase.pattern()->first_word_cycles(f, blocks_.grid()));
  return runs * std::max(cycles - work / runs, first);
}

double Executor::cycles_on(const Machine& machine, std::int64_t first_cycle) const {
  // Sums over tiles: computing here and there, and everything that all tiles take alike.
  double computing = 0.0, computing_there = 0.0, alike = 0.0, alike_there = 0.0;
  const double tiles = std::accumulate(working_.begin(), working_.end(), 0.0);
  const auto starts = [&](double times, double here, double there) {
    alike += times * tiles * here;
    alike_there += times * tiles * there;
  };
  starts(static_cast<double>(record_.steps()), machine_.step_overhead_cycles, machine.step_overhead_cycles);
  for (std::size_t k = 0; k < books_.size(); ++k) {
    const Phase& phase = program_.phases()[k];
    const Book& book = books_[k];
    double work = 0.0, work_there = 0.0;
    for (std::size_t s = 0; s < phase.work().size(); ++s) {
      const Section &here = phase.work()[s].section(), there = here.on(machine);
      work += here.cycles(book.tiles[s], book.items[s]);
      work_there += there.cycles(book.tiles[s], book.items[s]);
    }
    computing += work, computing_there += work_there;
    if (phase.pattern() == nullptr) continue;
    const auto times = static_cast<double>(book.times);
    alike += moving(phase, book, machine_, work), alike_there += moving(phase, book, machine, work_there);
    starts(times, phase.receive_cycles(machine_, blocks_.grid()),
           phase.receive_cycles(machine, blocks_.grid()));
  }
  computing = comm_->sum(computing), computing_there = comm_->sum(computing_there);
  alike = comm_->sum(alike), alike_there = comm_->sum(alike_there);
  const auto passed = static_cast<double>(clocks_.latest() - first_cycle);
  const double all = static_cast<double>(blocks_.grid().tiles()), waiting = all * passed - computing - alike;
  return (computing_there + alike_there + waiting * (computing > 0.0 ? computing_there / computing : 1.0)) /
         all;
}

double Executor::utilisation(std::int64_t first_cycle) const {
  return record_.utilisation(clocks_.latest() - first_cycle);
}

}  // namespace wafermark::wse
