#include "tools/kernel_clock/work_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark {
namespace {

using Kind = WorkEvent::Kind;

constexpr const char* first_line = "wafermark-work-1";
constexpr std::array kind_names{"kernel",    "copy",       "host_copy",  "fence",   "exchange",
                                "send",      "receive",    "wait",       "barrier", "all_reduce",
                                "broadcast", "all_gather", "all_to_all", "scan"};
constexpr std::array class_names{"streaming", "pairs", "search", "bookkeeping", "plain_pairs"};
constexpr int most_ranks = 1'000'000;

std::string line_of(const WorkEvent& e) {
  const char* name = kind_names.at(static_cast<std::size_t>(e.kind));
  switch (e.kind) {
    case Kind::kernel:
      return fmt::format("{} {} {} {}\n", name, e.what, e.load.items, e.load.candidates_per_atom);
    case Kind::exchange:
      return fmt::format("{} {} {} {} {}\n", name, e.bytes_out, e.to, e.bytes_in, e.from);
    case Kind::send:
      return fmt::format("{} {} {}\n", name, e.bytes_out, e.to);
    case Kind::receive:
      return fmt::format("{} {} {}\n", name, e.bytes_in, e.from);
    case Kind::broadcast:
      return fmt::format("{} {} {}\n", name, e.bytes_out, e.from);
    case Kind::fence:
    case Kind::wait:
    case Kind::barrier:
      return fmt::format("{}\n", name);
    default:
      return fmt::format("{} {}\n", name, e.bytes_out);
  }
}

/// Reads a record line by line and says where it is when something is wrong.
class Lines {
 public:
  explicit Lines(const std::string& path) : path_(path), in_(path) {
    if (!in_) throw InputError(path + ": cannot be read, expected a record of work");
  }

  /// Goes to the next line; its first word.
  std::string next(const char* expected) {
    ++number_;
    if (!std::getline(in_, text_)) reject("the end of the file", expected);
    words_ = std::istringstream(text_);
    std::string word;
    words_ >> word;
    return word;
  }
  template <class T>
  T value(T low, T high, const char* expected) {
    T x{};
    if (!(words_ >> x) || !(low <= x && x <= high)) reject("'" + excerpt(text_) + "'", expected);
    return x;
  }
  std::string word(const char* expected) {
    std::string w;
    if (!(words_ >> w)) reject("'" + excerpt(text_) + "'", expected);
    return w;
  }
  void end_of_line() {
    if (std::string more; words_ >> more) reject("'" + excerpt(more) + "' behind it", "the end of the line");
  }
  [[noreturn]] void reject(const std::string& found, const std::string& expected) const {
    throw InputError(fmt::format("{}:{}: found {}, expected {}", path_, number_, found, expected));
  }

 private:
  std::string path_, text_;
  std::ifstream in_;
  std::istringstream words_;
  int number_ = 0;
};

template <std::size_t N>
std::size_t index_in(const std::array<const char*, N>& names, const std::string& name, const Lines& lines,
                     const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) lines.reject("'" + excerpt(name) + "'", what);
  return static_cast<std::size_t>(found - names.begin());
}

WorkEvent read_event(Lines& lines, const std::string& name, int kernels, int ranks) {
  constexpr std::int64_t most_bytes = std::int64_t{1} << 50;
  const auto bytes = [&] { return lines.value<std::int64_t>(0, most_bytes, "a number of bytes"); };
  const auto rank = [&] { return lines.value(WorkEvent::nobody, ranks - 1, "a rank, or -1"); };
  WorkEvent e;
  e.kind = static_cast<Kind>(index_in(kind_names, name, lines, "an event"));
  switch (e.kind) {
    case Kind::kernel:
      e.what = lines.value(0, kernels - 1, "the number of a kernel");
      e.load.items = lines.value(0.0, 1e15, "a number of items");
      e.load.candidates_per_atom = lines.value(0.0, 1e9, "neighbours of an atom");
      break;
    case Kind::exchange:
      e.bytes_out = bytes(), e.to = rank(), e.bytes_in = bytes(), e.from = rank();
      break;
    case Kind::send:
      e.bytes_out = bytes(), e.to = rank();
      break;
    case Kind::receive:
      e.bytes_in = bytes(), e.from = rank();
      break;
    case Kind::broadcast:
      e.bytes_out = bytes(), e.from = rank();
      break;
    case Kind::fence:
    case Kind::wait:
    case Kind::barrier:
      break;
    default:
      e.bytes_out = bytes();
  }
  lines.end_of_line();
  return e;
}

std::array<int, 3> coordinates(int rank, const std::array<int, 3>& grid) {
  return {rank / (grid[1] * grid[2]), rank / grid[2] % grid[1], rank % grid[2]};
}
int rank_at(const std::array<int, 3>& c, const std::array<int, 3>& grid) {
  return (c[0] * grid[1] + c[1]) * grid[2] + c[2];
}

}  // namespace

void WorkRecord::write(const std::string& path) const {
  std::string text = fmt::format("{}\ngrid {} {} {}\nsteps {}\nkernels {}\n", first_line, grid[0], grid[1],
                                 grid[2], steps, kernels.size());
  for (const RecordedKernel& k : kernels)
    text += fmt::format("{} {} {}\n", class_names.at(static_cast<std::size_t>(k.kind.kind)),
                        k.kind.bytes_per_item, k.label);
  for (const auto& events : ranks) {
    text += fmt::format("rank {}\n", events.size());
    for (const WorkEvent& e : events) text += line_of(e);
  }
  write_text_file(path, text);
}

WorkRecord WorkRecord::read(const std::string& path) {
  Lines lines(path);
  WorkRecord r;
  const auto key = [&](const char* name) {
    if (lines.next(name) != name) lines.reject("another word", name);
  };
  key(first_line);
  key("grid");
  for (int& n : r.grid) n = lines.value(1, most_ranks, "three numbers of ranks");
  if (std::int64_t{r.grid[0]} * r.grid[1] > most_ranks / r.grid[2])
    lines.reject("more ranks than any machine has", "a grid");
  key("steps");
  r.steps = lines.value<std::int64_t>(1, std::int64_t{1} << 50, "a number of steps");
  key("kernels");
  const int kernels = lines.value(0, 10'000, "a number of kernels");
  for (int k = 0; k < kernels; ++k) {
    RecordedKernel kernel;
    kernel.kind.kind = static_cast<KernelKind::Class>(
        index_in(class_names, lines.next("a kernel"), lines, "a kind of kernel"));
    kernel.kind.bytes_per_item = lines.value(0.0, 1e9, "bytes of an item");
    kernel.label = lines.word("a kernel's label");
    r.kernels.push_back(kernel);
  }
  for (int rank = 0; rank < r.size(); ++rank) {
    key("rank");
    const auto n = lines.value<std::int64_t>(0, std::int64_t{1} << 40, "a number of events");
    std::vector<WorkEvent>& events = r.ranks.emplace_back();
    for (std::int64_t k = 0; k < n; ++k)
      events.push_back(read_event(lines, lines.next("an event"), kernels, r.size()));
  }
  return r;
}

RecordOnGrid::RecordOnGrid(const WorkRecord& record, std::array<int, 3> grid) : record_(record), grid_(grid) {
  for (std::size_t d = 0; d < 3; ++d)
    if (grid[d] != record.grid[d] && (record.grid[d] < 3 || grid[d] < record.grid[d]))
      throw InputError(fmt::format("--grid: found {} ranks along {}, expected {}{}", grid[d], "xyz"[d],
                                   record.grid[d],
                                   record.grid[d] < 3 ? ", as recorded (of three or more others may be made)"
                                                      : " or more, as recorded"));
}

int RecordOnGrid::acts_as(int rank) const {
  std::array<int, 3> c = coordinates(rank, grid_);
  for (std::size_t d = 0; d < 3; ++d) {
    const int recorded = record_.grid[d];
    if (recorded == grid_[d]) continue;
    c[d] = c[d] == 0 ? 0 : c[d] == grid_[d] - 1 ? recorded - 1 : 1 + (c[d] - 1) % (recorded - 2);
  }
  return rank_at(c, record_.grid);
}

int RecordOnGrid::peer(int rank, int peer) const {
  if (peer == WorkEvent::nobody) return peer;
  std::array<int, 3> c = coordinates(rank, grid_);
  const std::array<int, 3> own = coordinates(acts_as(rank), record_.grid),
                           other = coordinates(peer, record_.grid);
  for (std::size_t d = 0; d < 3; ++d) {
    const int n = record_.grid[d];
    int away = other[d] - own[d];
    if (grid_[d] != n)
      away = away > n / 2 ? away - n : away < -(n / 2) ? away + n : away;  // the short way round
    c[d] = ((c[d] + away) % grid_[d] + grid_[d]) % grid_[d];
  }
  return rank_at(c, grid_);
}

}  // namespace wafermark
