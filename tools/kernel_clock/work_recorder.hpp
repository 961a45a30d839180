// Takes down what the simulated ranks of a program do in its timed steps.
#pragma once

#include <map>
#include <string>

#include "common/runtime.hpp"
#include "tools/kernel_clock/work_record.hpp"

namespace wafermark {

class WorkRecorder {
 public:
  /// A run with more has no record: it would fill the memory.
  static constexpr std::int64_t most_events = 4'000'000;

  void set_grid(const std::array<int, 3>& grid) { grid_ = grid; }

  /// The timed steps of `rank` begin, again where they did before; they end when all of its work is noted.
  void begin(std::int64_t rank);
  void end(std::int64_t rank, std::int64_t steps);

  /// Each does nothing outside the timed steps of `rank`.
  void kernel(std::int64_t rank, const std::string& label, const KernelKind& kind, const KernelLoad& load);
  void copy(std::int64_t rank, std::int64_t bytes);
  void fence(std::int64_t rank);
  void message(std::int64_t rank, const runtime::Message& message);

  /// Whether all of so many ranks have noted their timed steps to the end.
  bool complete(int ranks) const { return ended_ == ranks && !too_long(); }
  bool too_long() const { return events_ > most_events; }
  /// In the order of the numbers by which ranks were called. A program that laid out no grid has its ranks in
  /// a row.
  WorkRecord record() const;

 private:
  /// Null outside the timed steps.
  std::vector<WorkEvent>* open(std::int64_t rank);
  void add(std::int64_t rank, const WorkEvent& event);

  struct Events {
    bool open = false;
    std::vector<WorkEvent> list;
  };
  std::map<std::int64_t, Events> ranks_;
  std::map<std::string, int> kernel_numbers_;
  std::vector<RecordedKernel> kernels_;
  std::array<int, 3> grid_{0, 0, 0};
  std::int64_t steps_ = 0, events_ = 0;
  int ended_ = 0;
};

}  // namespace wafermark
