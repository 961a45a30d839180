#include "wse_emulator/program.hpp"

#include <algorithm>

namespace wafermark::wse {
namespace {

/// Of the first tile's steps, all like its first.
double cycles_of_steps(const Machine& machine, const StreamWork& work) {
  const Steps& s = work.steps;
  return static_cast<double>(s.first[1] - s.first[0]) *
         (receive_cycles(machine, s.words) +
          (work.always.cycles(s.always.front()) + work.each.cycles(s.items.front())));
}

}  // namespace

Phase& Program::host(std::function<void()> body) { return phases_.emplace_back().does(std::move(body)); }

Phase& Program::compute(const std::string& name, std::vector<Work> work) {
  return compute(name, Block{}, std::move(work));
}

Phase& Program::compute(const std::string& name, const Block& tiles, std::vector<Work> work) {
  Phase& phase = phases_.emplace_back();
  phase.name_ = name;
  phase.tiles_ = tiles;
  phase.work_ = std::move(work);
  return phase;
}

Phase& Program::pattern(const std::string& name, std::shared_ptr<const Pattern> pattern, int first_color) {
  Phase& phase = phases_.emplace_back();
  phase.name_ = name;
  phase.pattern_ = std::move(pattern);
  phase.first_color_ = first_color;
  return phase;
}

Phase& Program::stream(const std::string& name, std::shared_ptr<const Pattern> pattern, int first_color,
                       std::vector<Work> work) {
  Phase& phase = this->pattern(name, std::move(pattern), first_color);
  phase.work_ = std::move(work);
  return phase;
}

Phase& Program::share(const std::string& name, std::shared_ptr<const LineShare> pattern, int first_color) {
  const LineShare& share = *pattern;
  Phase& phase = this->pattern(name, std::move(pattern), first_color);
  phase.tiles_ = share.lines().roots();
  phase.work_.push_back(share.work());
  return phase;
}

Phase& Program::stream(const std::string& name, std::shared_ptr<const LineBroadcast> words, int first_color,
                       const StreamWork& work) {
  const LineBroadcast* stream = words.get();
  Phase& phase = pattern(name, std::move(words), first_color);
  phase.stream_ = stream;
  phase.stream_work_.push_back(work);
  return phase;
}

Phase& Program::stream(const std::string& name, const Block& tiles, std::shared_ptr<const Pattern> pattern,
                       int first_color, std::vector<Work> work) {
  Phase& phase = this->pattern(name, std::move(pattern), first_color);
  phase.tiles_ = tiles;
  phase.work_ = std::move(work);
  return phase;
}

Phase& Program::wait(const Block& tiles, const std::vector<int>& events) {
  Phase& phase = phases_.emplace_back();
  phase.tiles_ = tiles;
  phase.event_ = Phase::Event::awaited;
  phase.events_ = &events;
  return phase;
}

Phase& Program::reach(const Block& tiles, const std::vector<int>& events) {
  Phase& phase = wait(tiles, events);
  phase.event_ = Phase::Event::reached;
  return phase;
}

double Phase::receive_cycles(const Machine& machine, const TileGrid& grid) const {
  if (pattern_ == nullptr) return 0.0;
  return receiving_ == Receiving::tasks ? pattern_->tasks() * machine.task_start_cycles
                                        : pattern_->reads(grid) * machine.fabric_read_cycles;
}

std::vector<PatternUse> Program::patterns(const TileGrid& grid) const {
  std::vector<PatternUse> uses;
  for (const Phase& p : phases_)
    if (p.pattern() != nullptr)
      uses.push_back({p.name(), p.pattern()->area(grid), p.pattern()->colors(grid, p.first_color())});
  return uses;
}

std::vector<Program::Line> Program::predicted(const Machine& machine, const TileGrid& grid) const {
  std::vector<Line> lines;
  double overhead = machine.step_overhead_cycles;
  for (const Phase& p : phases_) {
    const Pattern* pattern = p.pattern();
    overhead += p.receive_cycles(machine, grid);
    if (pattern == nullptr && p.work().empty()) continue;
    if (p.stream() != nullptr) {
      const auto first = static_cast<double>(pattern->first_word_cycles(machine.fabric, grid));
      lines.push_back({p.name(), pattern->text(), first, pattern});
      lines.push_back({p.name(), "", cycles_of_steps(machine, *p.stream_work())});
      continue;
    }
    // A pattern of regions knows what of its work overlaps with its words.
    const bool works = !p.work().empty() && (pattern == nullptr || pattern->after() != After::paths);
    double cycles = 0.0;
    for (const Work& w : p.work())
      if (works) cycles += w.section().cycles(w.items().front());
    if (pattern != nullptr && works)
      cycles += static_cast<double>(pattern->first_word_cycles(machine.fabric, grid));
    if (pattern != nullptr)
      cycles = std::max(cycles, static_cast<double>(pattern->cycles(machine.fabric, grid)));
    lines.push_back({p.name(), pattern != nullptr ? pattern->text() : "", cycles, pattern});
  }
  lines.push_back({"starting tasks, overhead", "", overhead});
  return lines;
}

}  // namespace wafermark::wse
