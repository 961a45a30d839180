#include "tools/kernel_clock/work_recorder.hpp"

namespace wafermark {
namespace {

WorkEvent::Kind kind_of(runtime::Message::Kind kind) {
  using From = runtime::Message::Kind;
  using To = WorkEvent::Kind;
  switch (kind) {
    case From::exchange:
      return To::exchange;
    case From::send:
      return To::send;
    case From::receive:
      return To::receive;
    case From::wait:
      return To::wait;
    case From::barrier:
      return To::barrier;
    case From::all_reduce:
      return To::all_reduce;
    case From::broadcast:
      return To::broadcast;
    case From::all_gather:
      return To::all_gather;
    case From::all_to_all:
      return To::all_to_all;
    case From::scan:
      return To::scan;
  }
  return To::barrier;
}

/// Every MPI has its own number for nobody, all below 0.
int rank_or_nobody(int rank) { return rank < 0 ? WorkEvent::nobody : rank; }

}  // namespace

void WorkRecorder::begin(std::int64_t rank) {
  Events& events = ranks_[rank];
  if (!events.open && !events.list.empty()) --ended_;
  events.open = true;
  events_ -= static_cast<std::int64_t>(events.list.size());
  events.list.clear();
}

void WorkRecorder::end(std::int64_t rank, std::int64_t steps) {
  ranks_[rank].open = false;
  steps_ = steps;
  ++ended_;
}

std::vector<WorkEvent>* WorkRecorder::open(std::int64_t rank) {
  const auto found = ranks_.find(rank);
  return found == ranks_.end() || !found->second.open ? nullptr : &found->second.list;
}

void WorkRecorder::add(std::int64_t rank, const WorkEvent& event) {
  auto* const events = open(rank);
  if (events == nullptr || too_long()) return;
  events->push_back(event);
  if (++events_ > most_events)
    for (auto& [number, of_rank] : ranks_) of_rank.list = {};
}

void WorkRecorder::kernel(std::int64_t rank, const std::string& label, const KernelKind& kind,
                          const KernelLoad& load) {
  if (open(rank) == nullptr) return;
  const auto [at, is_new] = kernel_numbers_.emplace(label, static_cast<int>(kernels_.size()));
  if (is_new) kernels_.push_back({label, kind});
  WorkEvent e;
  e.kind = WorkEvent::Kind::kernel;
  e.what = at->second;
  e.load = load;
  add(rank, e);
}

void WorkRecorder::copy(std::int64_t rank, std::int64_t bytes) {
  WorkEvent e;
  e.kind = WorkEvent::Kind::copy;
  e.bytes_out = bytes;
  add(rank, e);
}

void WorkRecorder::fence(std::int64_t rank) { add(rank, {}); }

void WorkRecorder::message(std::int64_t rank, const runtime::Message& m) {
  WorkEvent e;
  e.kind = kind_of(m.kind);
  e.bytes_out = m.bytes_out;
  e.bytes_in = m.bytes_in;
  e.to = rank_or_nobody(m.to);
  e.from = rank_or_nobody(m.from);
  add(rank, e);
}

WorkRecord WorkRecorder::record() const {
  WorkRecord r;
  r.grid = grid_[0] == 0 ? std::array<int, 3>{static_cast<int>(ranks_.size()), 1, 1} : grid_;
  r.steps = steps_;
  r.kernels = kernels_;
  for (const auto& [rank, events] : ranks_) r.ranks.push_back(events.list);
  return r;
}

}  // namespace wafermark
