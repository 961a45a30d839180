// What the tiles of a wafer do, as a list: computing, patterns of the fabric, computing with words while a
// pattern brings them, and what happens to the data meanwhile.
//
// A phase is declared once. The executor (executor.hpp) runs, clocks and records it; its cycles, whether
// tiles compute, wait or move words, its words on links, joules and colors follow from what the declaration
// says. A program can be printed, priced and checked before it runs.
//
//   Program step;
//   step.pattern("send", std::make_shared<MarchingMulticast>(b, 1), 0).does([&] { ... });
//   step.compute("sum", {{add, items.received}}).does([&] { ... });
//   step.stream("weigh", std::make_shared<StarExchange>(4, 100), 4, {{multiply, items.words}}).does([&] { ...
//   });
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wse_emulator/fabric/pattern.hpp"
#include "wse_emulator/section.hpp"

namespace wafermark::wse {

/// A section, done to so many items on each tile of the block (row by row). The numbers are read when the
/// phase has done what it does to the data.
struct Work {
  const Section& section;
  const std::vector<int>& items;
};

/// One line of a program. Without work and pattern it is the host's, and costs the machine nothing.
class Phase {
 public:
  /// What happens to the data, before the phase is priced. Collective, if patterns move them.
  Phase& does(std::function<void()> body) { return body_ = std::move(body), *this; }
  /// How tiles take the words of the phase's pattern; by tasks where nothing is said.
  Phase& receives(Receiving how) { return receiving_ = how, *this; }
  /// Only then; asked right before.
  Phase& when(std::function<bool()> due) { return due_ = std::move(due), *this; }

  const std::string& name() const { return name_; }
  const std::vector<Work>& work() const { return work_; }
  const Pattern* pattern() const { return pattern_.get(); }
  int first_color() const { return first_color_; }
  /// Cycles of the pattern's tasks, or of the instructions that wait for its words.
  double receive_cycles(const Machine& machine) const;
  bool due() const { return !due_ || due_(); }
  void run() const {
    if (body_) body_();
  }

 private:
  friend class Program;
  std::string name_;
  std::vector<Work> work_;
  std::shared_ptr<const Pattern> pattern_;
  int first_color_ = 0;
  Receiving receiving_ = Receiving::tasks;
  std::function<void()> body_;
  std::function<bool()> due_;
};

class Program {
 public:
  /// What the host does between phases.
  Phase& host(std::function<void()> body);
  /// Tiles compute. Sections and items must outlive the program.
  Phase& compute(const std::string& name, std::vector<Work> work);
  /// Tiles exchange words, by the pattern's colors from `first_color` on.
  Phase& pattern(const std::string& name, std::shared_ptr<const Pattern> pattern, int first_color);

  /// Tiles compute with words as a pattern brings them, by vector instructions whose operand comes from the
  /// fabric or goes there, and with what else they have to do meanwhile. The core can begin with the first
  /// word; a tile goes on when its work is done and the stream is over, whichever is later.
  Phase& stream(const std::string& name, std::shared_ptr<const Pattern> pattern, int first_color,
                std::vector<Work> work);

  const std::deque<Phase>& phases() const { return phases_; }
  /// The patterns in their order, with the links and colors that they use, all due.
  std::vector<PatternUse> patterns(const TileGrid& grid) const;

  struct Line {
    std::string phase, text;  ///< of a pattern: what it is
    double cycles;
  };
  /// What a step takes, all phases due, of a tile whose items are the first of each list; tasks that words
  /// start and the machine's step overhead come last. Nobody waits.
  std::vector<Line> predicted(const Machine& machine, const TileGrid& grid) const;

 private:
  std::deque<Phase> phases_;  // what the calls above return stays where it is
};

}  // namespace wafermark::wse
