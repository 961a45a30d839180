#include "wse_emulator/router_reference/router_reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wafermark::wse {
namespace {

constexpr std::array<const char*, ports> port_names = {"north", "east", "south", "west", "ramp"};
constexpr std::array<int, 4> dx = {0, 1, 0, -1}, dy = {-1, 0, 1, 0};

std::size_t index(Port p) { return static_cast<std::size_t>(p); }
/// The neighbour's port at the other end of a link.
Port facing(Port p) { return static_cast<Port>((index(p) + 2) % 4); }

}  // namespace

RouterReference::Thread& RouterReference::Thread::wait_until(std::int64_t cycle) {
  instructions_.push_back({Kind::wait, 0, 0, cycle, {}});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::send(int color, std::vector<float> words) {
  const auto n = static_cast<std::int64_t>(words.size());
  instructions_.push_back({Kind::send, color, 0, n, std::move(words)});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::wait_for_thread(int number) {
  instructions_.push_back({Kind::join, 0, 0, number, {}});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::send_control(int color,
                                                               std::vector<SwitchCommand> commands) {
  if (commands.size() > switch_commands)
    throw std::logic_error(fmt::format("control wavelet of color {}: found {} commands, expected at most {}",
                                       color, commands.size(), switch_commands));
  for (const SwitchCommand& c : commands)
    if (c.routers < 1 || c.routers > most_routers_of_a_command)
      throw std::logic_error(
          fmt::format("control wavelet of color {}: found a command for {} routers, "
                      "expected 1 to {}",
                      color, c.routers, most_routers_of_a_command));
  instructions_.push_back({Kind::control, color, 0, 1, {}, std::move(commands)});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::receive(int color, int words) {
  instructions_.push_back({Kind::receive, color, 0, words, {}});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::hold(std::vector<float> words) {
  instructions_.push_back({Kind::hold, 0, 0, 0, std::move(words)});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::send_last(int color, int words) {
  instructions_.push_back({Kind::send, color, 0, words, {}});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::receive_add(int color, int words) {
  instructions_.push_back({Kind::add, color, 0, words, {}});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::receive_add_send(int from, int words, int to) {
  instructions_.push_back({Kind::add_send, from, to, words, {}});
  return *this;
}

RouterReference::Thread& RouterReference::Thread::work(std::int64_t cycles) {
  instructions_.push_back({Kind::work, 0, 0, cycles, {}});
  return *this;
}
RouterReference::Thread& RouterReference::Thread::multiply_add(int color, int words, std::int64_t cycles,
                                                               std::vector<float> factors) {
  instructions_.push_back({Kind::multiply, color, 0, words * cycles, std::move(factors), {}, cycles});
  return *this;
}

/// Whether the thread does something in this cycle of its multiply-adds.
bool RouterReference::Thread::multiply(std::deque<Wavelet>& in, const Instruction& i, std::int64_t now) {
  const std::size_t sums = i.words.size() / static_cast<std::size_t>(i.count / i.cycles);
  if (done_ % i.cycles == 0) {
    if (in.empty() || in.front().ready > now) return false;
    if (done_ == 0) sums_.assign(sums, 0.0f);
    const float* factors = i.words.data() + static_cast<std::size_t>(done_ / i.cycles) * sums;
    for (std::size_t k = 0; k < sums; ++k) sums_[k] = std::fma(in.front().value, factors[k], sums_[k]);
    in.pop_front();
  }
  if (done_ + 1 == i.count) received_.insert(received_.end(), sums_.begin(), sums_.end());
  return true;
}

float RouterReference::Thread::own_word(const Instruction& i) const {
  const auto k = static_cast<std::size_t>(done_);
  if (!i.words.empty()) return i.words[k];
  return received_.at(received_before_ - static_cast<std::size_t>(i.count) + k);
}

bool RouterReference::Wavelet::advances_switch() const {
  if (commands == nullptr) return false;
  int router = passed;
  for (const SwitchCommand& c : *commands) {
    if (router < c.routers) return c.advance;
    router -= c.routers;
  }
  return false;
}

RouterReference::RouterReference(const FabricTiming& fabric, int width, int height)
    : fabric_(fabric), width_(width), height_(height), tiles_(static_cast<std::size_t>(width * height)) {
  if (fabric.cycles_per_word != 1.0)
    throw std::logic_error("router_reference moves one word per cycle and port");
  for (Tile& t : tiles_) t.colors.resize(static_cast<std::size_t>(fabric.colors));
}

void RouterReference::route(int x, int y, int color, std::vector<Route> positions, std::size_t first) {
  if (positions.size() > switch_positions)
    throw std::logic_error(
        fmt::format("color {} at tile ({}, {}): found {} switch positions, expected at most {}", color, x, y,
                    positions.size(), switch_positions));
  Color& c = tile(x, y).colors.at(static_cast<std::size_t>(color));
  c.positions = std::move(positions);
  c.at = first;
}

RouterReference::Thread& RouterReference::thread(int x, int y) { return tile(x, y).threads.emplace_back(); }

std::deque<RouterReference::Wavelet>* RouterReference::target(int x, int y, int color, Port port) {
  const auto c = static_cast<std::size_t>(color);
  if (port == Port::ramp) return &tile(x, y).colors[c].core;
  const int nx = x + dx[index(port)], ny = y + dy[index(port)];
  if (nx < 0 || nx >= width_ || ny < 0 || ny >= height_)
    throw std::logic_error(fmt::format("color {} leaves the grid at tile ({}, {}) to the {}", color, x, y,
                                       port_names[index(port)]));
  return &tile(nx, ny).colors[c].queue[index(facing(port))];
}

bool RouterReference::move_words(int x, int y, std::int64_t now) {
  Tile& t = tile(x, y);
  std::array<bool, ports> taken{};
  bool moved = false;
  const std::size_t n = t.colors.size();
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t color = (t.turn + k) % n;
    Color& c = t.colors[color];
    if (c.positions.empty()) continue;
    const Route route = c.positions[c.at];
    auto& queue = c.queue[index(route.from)];
    if (queue.empty() || queue.front().ready > now) continue;
    const Wavelet word = queue.front();
    bool possible = true;
    for (const Port to : route.to) {
      if (word.commands != nullptr && to == Port::ramp) continue;
      // The register between router and core holds what is under way, beside the queue.
      const auto room = static_cast<std::size_t>(
          fabric_.queue_words + (to == Port::ramp ? fabric_.ramp_cycles : fabric_.hop_cycles - 1));
      possible = possible && !taken[index(to)] && target(x, y, static_cast<int>(color), to)->size() < room;
    }
    if (!possible) continue;
    for (const Port to : route.to) {
      if (word.commands != nullptr && to == Port::ramp) continue;
      taken[index(to)] = true;
      ++c.sent[index(to)];
      target(x, y, static_cast<int>(color), to)
          ->push_back({word.value, word.commands, word.passed + 1,
                       now + (to == Port::ramp ? fabric_.ramp_cycles : fabric_.hop_cycles)});
    }
    queue.pop_front();
    if (word.advances_switch()) c.at = (c.at + 1) % c.positions.size();
    moved = true;
  }
  t.turn = (t.turn + 1) % n;
  return moved;
}

bool RouterReference::step(Tile& t, Thread& thread, std::int64_t now, std::vector<char>& color_used) {
  if (thread.next_ == thread.instructions_.size()) return false;
  const auto& i = thread.instructions_[thread.next_];
  using Kind = Thread::Kind;
  if (i.kind == Kind::wait || i.kind == Kind::join) {
    if (i.kind == Kind::wait && now < i.count) return false;
    if (i.kind == Kind::join) {
      const Thread& other = t.threads.at(static_cast<std::size_t>(i.count));
      if (other.next_ < other.instructions_.size() || other.finished_ > now) return false;
    }
    ++thread.next_;
    return step(t, thread, now, color_used);
  }
  if (i.count == 0) {  // hold, or nothing to move
    thread.received_.insert(thread.received_.end(), i.words.begin(), i.words.end());
    ++thread.next_;
    return step(t, thread, now, color_used);
  }
  const auto c = static_cast<std::size_t>(i.color),
             out = static_cast<std::size_t>(i.kind == Kind::add_send ? i.to : i.color);
  const bool takes = i.kind == Kind::receive || i.kind == Kind::add || i.kind == Kind::add_send;
  const bool gives = i.kind == Kind::send || i.kind == Kind::control || i.kind == Kind::add_send;
  auto& ramp = t.colors[out].queue[index(Port::ramp)];
  // Under way to the router: the core's register and the ramp's stages.
  const auto room = static_cast<std::size_t>(fabric_.queue_words + fabric_.ramp_cycles);
  if (gives && (ramp.size() >= room || color_used[out])) return false;
  if (thread.done_ == 0) thread.received_before_ = thread.received_.size();
  float value = 0.0f;
  if (i.kind == Kind::multiply && !thread.multiply(t.colors[c].core, i, now)) return false;
  if (takes) {
    auto& in = t.colors[c].core;
    if (in.empty() || in.front().ready > now) return false;
    value = in.front().value;
    in.pop_front();
    if (i.kind != Kind::receive) value = thread.own_word(i) + value;
    thread.received_.push_back(value);
  } else if (i.kind == Kind::send) {
    value = thread.own_word(i);
  }
  if (gives) {
    ramp.push_back(
        {value, i.kind == Kind::control ? &i.commands : nullptr, 0, now + 1 + fabric_.ramp_cycles});
    color_used[out] = 1;
  }
  thread.finished_ = now + 1;
  if (++thread.done_ == i.count) {
    thread.done_ = 0;
    ++thread.next_;
  }
  return true;
}

bool RouterReference::run_threads(Tile& t, std::int64_t now) {
  bool did = false;
  std::vector<char> color_used(t.colors.size(), 0);
  for (Thread& thread : t.threads) did = step(t, thread, now, color_used) || did;
  return did;
}

std::int64_t RouterReference::run() {
  std::int64_t last = 0;
  for (std::int64_t now = 0;; ++now) {
    bool active = false, waiting = false, later = false;
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) active = move_words(x, y, now) || active;
    for (Tile& t : tiles_) active = run_threads(t, now) || active;
    for (const Tile& t : tiles_) {
      for (const Thread& thread : t.threads) {
        last = std::max(last, thread.finished_);
        if (thread.next_ == thread.instructions_.size()) continue;
        waiting = true;
        const auto& i = thread.instructions_[thread.next_];
        later = later || (i.kind == Thread::Kind::wait && i.count > now);
      }
      for (const Color& c : t.colors) {
        for (const auto& q : c.queue)
          for (const Wavelet& w : q) {
            waiting = true;
            later = later || w.ready > now;
          }
        for (const Wavelet& w : c.core) {
          waiting = true;
          later = later || w.ready > now;
        }
      }
    }
    if (!waiting) return last;
    if (!active && !later) report_deadlock(now);
  }
}

void RouterReference::report_deadlock(std::int64_t now) const {
  std::string text = fmt::format("deadlock at cycle {}:", now);
  for (int y = 0; y < height_; ++y)
    for (int x = 0; x < width_; ++x) {
      const Tile& t = tile(x, y);
      for (const Thread& thread : t.threads) {
        if (thread.next_ == thread.instructions_.size()) continue;
        const auto& i = thread.instructions_[thread.next_];
        const bool sends = i.kind == Thread::Kind::send || i.kind == Thread::Kind::control;
        if (i.kind == Thread::Kind::join)
          text += fmt::format(" tile ({}, {}) waits for its thread {};", x, y, i.count);
        else
          text += fmt::format(" tile ({}, {}) waits to {} color {} ({} of {} words done);", x, y,
                              sends ? "send" : "receive", i.color, thread.done_, i.count);
      }
      for (std::size_t c = 0; c < t.colors.size(); ++c) {
        for (std::size_t p = 0; p < ports; ++p)
          if (!t.colors[c].queue[p].empty())
            text += fmt::format(" router ({}, {}) holds {} words of color {} from the {};", x, y,
                                t.colors[c].queue[p].size(), c, port_names[p]);
        if (!t.colors[c].core.empty())
          text += fmt::format(" core ({}, {}) leaves {} words of color {} unread;", x, y,
                              t.colors[c].core.size(), c);
      }
    }
  throw Deadlock(text);
}

std::int64_t RouterReference::finished(int x, int y) const {
  std::int64_t last = 0;
  for (const Thread& t : tile(x, y).threads) last = std::max(last, t.finished_);
  return last;
}

std::int64_t RouterReference::finished(int x, int y, int number) const {
  return tile(x, y).threads.at(static_cast<std::size_t>(number)).finished_;
}

const std::vector<float>& RouterReference::received(int x, int y, int number) const {
  return tile(x, y).threads.at(static_cast<std::size_t>(number)).received_;
}

std::int64_t RouterReference::words(int x, int y, int color, Port port) const {
  return tile(x, y).colors.at(static_cast<std::size_t>(color)).sent[index(port)];
}

}  // namespace wafermark::wse
