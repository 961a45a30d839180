#include "tools/kernel_clock/step_model.hpp"

#include <fmt/format.h>

#include <deque>
#include <utility>
#include <vector>

#include "common/errors.hpp"
#include "tools/kernel_clock/platform.hpp"
#include "tools/kernel_clock/rank_clock.hpp"

namespace wafermark {
namespace {

using Kind = WorkEvent::Kind;

/// What a rank is doing.
struct RankState {
  std::size_t next = 0;  ///< event
  double time = 0.0;
  bool sent = false;  ///< the message of the exchange at `next`
  RankClock clock{0};
  double busy = 0.0;
  std::vector<int> awaited;     ///< senders of receives that were begun
  std::int64_t collective = 0;  ///< which one it waits for, the first is 1; 0: none
};

/// Rounds of a collective over so many ranks, by recursive doubling.
int rounds(int ranks) {
  int n = 0;
  while ((1 << n) < ranks) ++n;
  return n;
}

class Model {
 public:
  Model(const RecordOnGrid& work, const ClusterMachine& m)
      : work_(work),
        m_(m),
        ranks_(static_cast<std::size_t>(work.size())),
        inboxes_(ranks_.size()),
        sharers_(ranks_.size()) {
    for (int r = 0; r < work.size(); ++r) {
      acts_as_.push_back(work.acts_as(r));
      state(r).clock = RankClock(r);
    }
  }

  ModelledTime run() {
    for (int r = 0; r < work_.size(); ++r) ready_.push_back(r);
    while (!ready_.empty()) {
      const int r = ready_.front();
      ready_.pop_front();
      advance(r);
    }
    ModelledTime result;
    for (int r = 0; r < work_.size(); ++r) {
      if (state(r).next < events(r).size())
        throw InputError(fmt::format(
            "rank {} waits for a message that nobody sends: the record does not fit the grid", r));
      result.seconds = std::max(result.seconds, state(r).time + state(r).clock.drain(m_, 0.0));
      result.busy += state(r).busy;
    }
    result.busy /= work_.size();
    return result;
  }

 private:
  struct UnderWay {
    double arrives;
    std::int64_t bytes;
  };

  RankState& state(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }
  const std::vector<WorkEvent>& events(int rank) const {
    return work_.record().ranks[static_cast<std::size_t>(acts_as_[static_cast<std::size_t>(rank)])];
  }
  int node(int rank) const { return rank / m_.workers_per_node; }

  /// Carries events of a rank out until one waits for others.
  void advance(int rank) {
    RankState& s = state(rank);
    const auto& list = events(rank);
    while (s.next < list.size() && step(rank, s, list[s.next])) ++s.next;
  }

  /// False: it waits; whoever ends that makes the rank ready again.
  bool step(int rank, RankState& s, const WorkEvent& e) {
    switch (e.kind) {
      case Kind::kernel: {
        const double seconds =
            kernel_seconds(m_, work_.record().kernels[static_cast<std::size_t>(e.what)].kind, e.load);
        s.clock.start(m_, seconds);
        s.busy += seconds;
        return true;
      }
      case Kind::copy:
        s.clock.start(m_, copy_seconds(m_, static_cast<double>(e.bytes_out)));
        return true;
      case Kind::host_copy:
        s.time += s.clock.drain(m_, host_copy_seconds(m_, static_cast<double>(e.bytes_out)));
        return true;
      case Kind::fence:
        if (s.clock.started()) s.time += s.clock.drain(m_, m_.fence);
        return true;
      case Kind::exchange:
        if (!std::exchange(s.sent, true)) send(rank, e);
        if (!receive(rank, e.from)) return false;
        s.sent = false;
        return true;
      case Kind::send:
        send(rank, e);
        return true;
      case Kind::receive:
        s.awaited.push_back(e.from);
        return true;
      case Kind::wait:
        while (!s.awaited.empty()) {
          if (!receive(rank, s.awaited.front())) return false;
          s.awaited.erase(s.awaited.begin());
        }
        return true;
      default:
        return collective(rank, s, e);
    }
  }

  void send(int rank, const WorkEvent& e) {
    if (e.to == WorkEvent::nobody) return;
    RankState& s = state(rank);
    const int to = work_.peer(rank, e.to);
    s.time += message_overhead(m_, e.bytes_out, MessageEnd::sender);
    inbox(to, rank).push_back({s.time + flight(rank, to, e), e.bytes_out});
    ready_.push_back(to);
  }

  double flight(int rank, int to, const WorkEvent& e) {
    const double bytes = static_cast<double>(e.bytes_out);
    if (node(rank) == node(to)) return m_.local_latency + bytes / m_.local_bandwidth;
    return links_between(m_, node(rank), node(to)) * m_.link_latency +
           bytes * sharers(rank, e) / m_.link_bandwidth;
  }

  /// Ranks of this one's node whose message of this event leaves the node too. They come to it one after the
  /// other, so the last answer is kept.
  int sharers(int rank, const WorkEvent& e) {
    Sharers& known = sharers_[static_cast<std::size_t>(node(rank))];
    const std::size_t at = ranks_[static_cast<std::size_t>(rank)].next;
    if (known.ranks > 0 && known.event == at) return known.ranks;
    const int first = node(rank) * m_.workers_per_node,
              end = std::min(first + m_.workers_per_node, work_.size());
    int n = 0;
    for (int r = first; r < end; ++r) {
      const auto& list = events(r);
      if (at < list.size() && list[at].kind == e.kind && list[at].to != WorkEvent::nobody &&
          node(work_.peer(r, list[at].to)) != node(r))
        ++n;
    }
    known = {at, std::max(1, n)};
    return known.ranks;
  }

  /// False when it has not been sent yet.
  bool receive(int rank, int from_recorded) {
    if (from_recorded == WorkEvent::nobody) return true;
    std::vector<UnderWay>& messages = inbox(rank, work_.peer(rank, from_recorded));
    if (messages.empty()) return false;
    RankState& s = state(rank);
    s.time = std::max(s.time, messages.front().arrives) +
             message_overhead(m_, messages.front().bytes, MessageEnd::receiver);
    messages.erase(messages.begin());
    return true;
  }

  /// Ends when the last rank is there.
  bool collective(int rank, RankState& s, const WorkEvent& e) {
    if (s.collective == 0) {
      s.collective = collectives_ + 1;
      latest_ = std::max(latest_, s.time);
      if (++arrived_ == work_.size()) end_collective(rank, e);
    }
    if (collectives_ < s.collective) return false;
    s.collective = 0;
    return true;
  }

  void end_collective(int last, const WorkEvent& e) {
    const double end = latest_ + collective_seconds(e);
    ++collectives_;
    arrived_ = 0;
    latest_ = 0.0;
    for (int r = 0; r < work_.size(); ++r) {
      state(r).time = end;
      if (r != last) ready_.push_back(r);
    }
  }

  double collective_seconds(const WorkEvent& e) const {
    const double bytes = static_cast<double>(e.bytes_out);
    const int n = rounds(work_.size()), local = std::min(n, rounds(m_.workers_per_node));
    const double ends = message_overhead(m_, e.bytes_out, MessageEnd::sender) +
                        message_overhead(m_, e.bytes_out, MessageEnd::receiver);
    const double near = m_.local_latency + bytes / m_.local_bandwidth;
    const double far = links_between(m_, 0, node(work_.size() - 1)) * m_.link_latency +
                       bytes * m_.workers_per_node / m_.link_bandwidth;
    const double one = n * ends + local * near + (n - local) * far;
    // Not a power of two: two more messages fold the surplus in and out.
    const bool surplus = (1 << n) != work_.size() && (e.kind == Kind::all_reduce);
    return one + (surplus ? ends + far : 0.0);
  }

  /// Messages from one rank to another. A rank has few that write to it.
  std::vector<UnderWay>& inbox(int to, int from) {
    auto& boxes = inboxes_[static_cast<std::size_t>(to)];
    for (auto& [sender, messages] : boxes)
      if (sender == from) return messages;
    return boxes.emplace_back(from, std::vector<UnderWay>()).second;
  }

  const RecordOnGrid& work_;
  const ClusterMachine& m_;
  std::vector<RankState> ranks_;
  std::vector<int> acts_as_;
  std::deque<int> ready_;
  std::vector<std::vector<std::pair<int, std::vector<UnderWay>>>> inboxes_;
  struct Sharers {
    std::size_t event = 0;
    int ranks = 0;  ///< 0: not counted yet
  };
  std::vector<Sharers> sharers_;  ///< by node
  std::int64_t collectives_ = 0;  ///< that have ended
  int arrived_ = 0;               ///< ranks at the next one
  double latest_ = 0.0;
};

}  // namespace

ModelledTime modelled_time(const RecordOnGrid& work, const ClusterMachine& machine) {
  return Model(work, machine).run();
}

}  // namespace wafermark
