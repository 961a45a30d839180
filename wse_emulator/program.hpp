// What the tiles of a wafer do, as a list: computing, patterns of the fabric, computing with words while a
// pattern brings them, and what happens to the data meanwhile.
//
// A phase is declared once. An executor (executor.hpp; region_executor.hpp where regions of tiles go by
// clocks of their own) runs, clocks and records it; its cycles, whether tiles compute, wait or move words,
// its words on links, joules and colors follow from what the declaration says. A program can be printed,
// priced and checked before it runs.
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

#include "wse_emulator/fabric/line_broadcast.hpp"
#include "wse_emulator/fabric/line_share.hpp"
#include "wse_emulator/work.hpp"

namespace wafermark::wse {

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
  /// Done to the words of `stream`, step by step; null: none.
  const StreamWork* stream_work() const { return stream_ == nullptr ? nullptr : &stream_work_.front(); }
  const LineBroadcast* stream() const { return stream_; }
  const Pattern* pattern() const { return pattern_.get(); }
  int first_color() const { return first_color_; }
  /// Cycles of the pattern's tasks, or of the instructions that wait for its words.
  double receive_cycles(const Machine& machine, const TileGrid& grid) const;
  /// That compute, or for which the phase waits; no tiles: all.
  const Block& tiles() const { return tiles_; }
  enum class Event { none, awaited, reached };
  Event event() const { return event_; }
  const std::vector<int>& events() const { return *events_; }
  bool due() const { return !due_ || due_(); }
  void run() const {
    if (body_) body_();
  }

 private:
  friend class Program;
  std::string name_;
  Block tiles_;
  std::vector<Work> work_;
  std::vector<StreamWork> stream_work_;    ///< at most one
  const LineBroadcast* stream_ = nullptr;  ///< the pattern, where it is one
  std::shared_ptr<const Pattern> pattern_;
  int first_color_ = 0;
  Receiving receiving_ = Receiving::tasks;
  Event event_ = Event::none;
  const std::vector<int>* events_ = nullptr;
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

  // For regions of tiles that go by clocks of their own (RegionExecutor).

  /// These tiles compute.
  Phase& compute(const std::string& name, const Block& tiles, std::vector<Work> work);
  /// The roots of lines share their work with the tiles beside them.
  Phase& share(const std::string& name, std::shared_ptr<const LineShare> pattern, int first_color);
  /// Tiles work on the words of lines' roots as these come, step by step: a step begins when its words are
  /// there and the step before is done.
  Phase& stream(const std::string& name, std::shared_ptr<const LineBroadcast> words, int first_color,
                const StreamWork& work);
  /// These tiles work while the pattern, one of regions, moves words and their clocks: it says how the two
  /// overlap.
  Phase& stream(const std::string& name, const Block& tiles, std::shared_ptr<const Pattern> pattern,
                int first_color, std::vector<Work> work);
  /// Each of these tiles waits for the event whose number its place in the list has; -1: for none.
  Phase& wait(const Block& tiles, const std::vector<int>& events);
  /// All events of the list are reached when the last of these tiles has come here.
  Phase& reach(const Block& tiles, const std::vector<int>& events);

  const std::deque<Phase>& phases() const { return phases_; }
  /// The patterns in their order, with the links and colors that they use, all due.
  std::vector<PatternUse> patterns(const TileGrid& grid) const;

  struct Line {
    std::string phase, text;  ///< of a pattern: what it is
    double cycles;
    const Pattern* pattern = nullptr;  ///< whose cycles they are; null: of computing
  };
  /// What a step takes, all phases due, of a tile whose items are the first of each list; tasks that words
  /// start and the machine's step overhead come last. Nobody waits. A stream's steps are a line of their own,
  /// behind that of its first word.
  std::vector<Line> predicted(const Machine& machine, const TileGrid& grid) const;

 private:
  std::deque<Phase> phases_;  // what the calls above return stays where it is
};

}  // namespace wafermark::wse
