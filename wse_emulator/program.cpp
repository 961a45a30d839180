#include "wse_emulator/program.hpp"

#include <algorithm>

namespace wafermark::wse {

Phase& Program::host(std::function<void()> body) { return phases_.emplace_back().does(std::move(body)); }

Phase& Program::compute(const std::string& name, std::vector<Work> work) {
  Phase& phase = phases_.emplace_back();
  phase.name_ = name;
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

double Phase::receive_cycles(const Machine& machine) const {
  if (pattern_ == nullptr) return 0.0;
  return pattern_->tasks() *
         (receiving_ == Receiving::tasks ? machine.task_start_cycles : machine.fabric_read_cycles);
}

std::vector<PatternUse> Program::patterns(const TileGrid& grid) const {
  const Block all{0, 0, grid.width, grid.height};
  std::vector<PatternUse> uses;
  for (const Phase& p : phases_)
    if (p.pattern() != nullptr) uses.push_back({p.name(), all, p.pattern()->colors(grid, p.first_color())});
  return uses;
}

std::vector<Program::Line> Program::predicted(const Machine& machine, const TileGrid& grid) const {
  std::vector<Line> lines;
  double overhead = machine.step_overhead_cycles;
  for (const Phase& p : phases_) {
    const Pattern* pattern = p.pattern();
    if (pattern == nullptr && p.work().empty()) continue;
    double cycles = 0.0;
    for (const Work& w : p.work()) cycles += w.section.cycles(w.items.front());
    if (pattern != nullptr && !p.work().empty())
      cycles += static_cast<double>(pattern->first_word_cycles(machine.fabric, grid));
    if (pattern != nullptr)
      cycles = std::max(cycles, static_cast<double>(pattern->cycles(machine.fabric, grid)));
    lines.push_back({p.name(), pattern != nullptr ? pattern->text() : "", cycles});
    overhead += p.receive_cycles(machine);
  }
  lines.push_back({"starting tasks, overhead", "", overhead});
  return lines;
}

}  // namespace wafermark::wse
