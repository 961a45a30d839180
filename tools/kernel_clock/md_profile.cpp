#include "tools/kernel_clock/md_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "common/communicator.hpp"
#include "common/deck.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark {
namespace {

using Kind = WorkEvent::Kind;
using Words = MdProfile::Words;

/// One line of a profile, taken apart.
struct Word {
  Kind kind = Kind::fence;
  RecordedKernel kernel;  ///< with bytes of an item also for copies and messages
  enum class Set { once, own, all, sent, received } set = Set::once;
  bool back = false;
};

/// Throws InputError without a place.
Word parsed(const std::string& text) {
  std::istringstream in(text);
  std::string name;
  in >> name;
  const auto refuse = [&](const std::string& expected) {
    return InputError(fmt::format("'{}': found no such word, expected {}", excerpt(text), expected));
  };
  const auto set = [&] {
    std::string s;
    in >> s;
    using Set = Word::Set;
    if (s == "own") return Set::own;
    if (s == "all") return Set::all;
    if (s == "sent") return Set::sent;
    if (s == "received") return Set::received;
    throw refuse("own, all, sent or received");
  };
  const auto bytes = [&] {
    double b = -1.0;
    if (!(in >> b) || !(0.0 <= b && b <= 1e6)) throw refuse("a number of bytes");
    return b;
  };
  using Class = KernelKind::Class;
  Word w;
  const auto kernel = [&](Class kind) {
    w.kind = Kind::kernel;
    w.kernel.kind.kind = kind;
    if (!(in >> w.kernel.label)) throw refuse("a label");
    w.set = set();
    if (kind == Class::streaming) w.kernel.kind.bytes_per_item = bytes();
  };
  const auto plain = [&](Kind kind) {
    w.kind = kind;
    w.kernel.kind.bytes_per_item = bytes();
  };
  if (name == "kernel") {
    kernel(Class::streaming);
  } else if (name == "pairs") {
    kernel(Class::pairs);
  } else if (name == "plain_pairs") {
    kernel(Class::plain_pairs);
  } else if (name == "search") {
    kernel(Class::search);
  } else if (name == "copy") {
    w.set = set();
    plain(Kind::copy);
  } else if (name == "host_copy") {
    in >> std::ws;
    if (!std::isdigit(in.peek())) w.set = set();
    plain(Kind::host_copy);
  } else if (name == "message" || name == "message_back") {
    w.back = name == "message_back";
    w.set = Word::Set::sent;
    plain(Kind::exchange);
  } else if (name == "numbers") {
    plain(Kind::exchange);
  } else if (name == "all_reduce") {
    plain(Kind::all_reduce);
  } else if (name == "broadcast") {
    plain(Kind::broadcast);
  } else if (name != "fence") {
    throw refuse(
        "kernel, pairs, plain_pairs, search, copy, host_copy, fence, message, message_back, numbers, "
        "all_reduce or broadcast");
  }
  if (std::string more; in >> more) throw refuse("nothing behind it");
  return w;
}

/// Atoms of one message along an axis, there and back.
struct Swap {
  int to = WorkEvent::nobody, from = WorkEvent::nobody;
  double sent = 0.0, received = 0.0;
};

/// Ranks of a record along an axis: two ends, and of those between one with few planes and one with many.
int recorded_along(int ranks, int planes) { return std::min(ranks, planes > 0 ? 4 : 3); }

/// Atoms of a recorded rank's slice of an axis, as parts of the mean.
double share_of_slice(int slice, int ranks, int planes) {
  if (planes == 0) return 1.0;
  const double mean = static_cast<double>(planes) / ranks;
  const auto before = [&](int k) { return std::ceil(k * mean - 1e-9); };
  if (ranks <= recorded_along(ranks, planes)) return (before(slice + 1) - before(slice)) / mean;
  return (slice == 2 ? std::ceil(mean - 1e-9) : std::floor(mean + 1e-9)) / mean;
}

/// What one rank of the record is made of.
class RankWriter {
 public:
  RankWriter(const MdProfile& profile, const MdWorkload& load, const std::array<int, 3>& grid,
             WorkRecord& record, int rank)
      : profile_(profile), load_(load), grid_(grid), record_(record), rank_(rank) {
    density_ = load.atoms / (load.box[0] * load.box[1] * load.box[2]);
    own_ = load.atoms / (static_cast<double>(grid[0]) * grid[1] * grid[2]);
    const std::array<int, 3>& small = record.grid;
    const std::array<int, 3> c{rank / (small[1] * small[2]), rank / small[2] % small[1], rank % small[2]};
    for (std::size_t d = 0; d < 3; ++d) own_ *= share_[d] = share_of_slice(c[d], grid[d], load.planes[d]);
    lay_out_swaps(c);
  }

  std::vector<WorkEvent> write(int steps, int lists) {
    for (int step = 0; step < steps; ++step) {
      once(profile_.begin);
      if (step < lists)
        new_list();
      else if (record_.size() == 1 && !profile_.positions_alone.empty())
        once(profile_.positions_alone);
      else
        each_swap(profile_.positions);
      once(profile_.first_pass);
      each_swap_back(profile_.values_back);
      once(profile_.second_pass);
      each_swap(profile_.values);
      once(profile_.third_pass);
      each_swap_back(profile_.forces_back);
      once(profile_.end);
    }
    return std::move(events_);
  }

 private:
  void lay_out_swaps(const std::array<int, 3>& c) {
    const std::array<int, 3>& small = record_.grid;
    const double reach = load_.cutoff + load_.skin;
    std::array<double, 3> width{};
    for (std::size_t d = 0; d < 3; ++d) width[d] = load_.box[d] / grid_[d];
    for (std::size_t d = 0; d < 3; ++d) {
      if (grid_[d] == 1 && !load_.periodic[d]) continue;
      const bool first = c[d] == 0, last = c[d] == small[d] - 1;
      const bool below = load_.periodic[d] || !first, above = load_.periodic[d] || !last;
      // Ghosts of the axes before are sent on.
      const std::size_t u = (d + 1) % 3, v = (d + 2) % 3;
      const double face =
          density_ * (share_[u] * width[u] + ghosts_[u]) * (share_[v] * width[v] + ghosts_[v]);
      const auto neighbour = [&](int direction) {
        std::array<int, 3> n = c;
        n[d] = (n[d] + direction + small[d]) % small[d];
        return (n[0] * small[1] + n[1]) * small[2] + n[2];
      };
      // A subdomain thinner than the reach hands on what it got.
      const int layers = grid_[d] == 1 ? 1 : static_cast<int>(std::ceil(reach / width[d]));
      for (int layer = 0; layer < layers; ++layer) {
        const double atoms = face * std::min(layers == 1 ? reach : width[d], reach - layer * width[d]);
        for (const int direction : {-1, 1}) {
          const bool sends = direction < 0 ? below : above, receives = direction < 0 ? above : below;
          swaps_.push_back({sends ? neighbour(direction) : WorkEvent::nobody,
                            receives ? neighbour(-direction) : WorkEvent::nobody, sends ? atoms : 0.0,
                            receives ? atoms : 0.0});
        }
      }
      if (grid_[d] > 1)
        axes_.push_back(
            {below ? neighbour(-1) : WorkEvent::nobody, above ? neighbour(1) : WorkEvent::nobody, 0.0, 0.0});
      ghosts_[d] = reach * ((below ? 1 : 0) + (above ? 1 : 0));
    }
    all_ = own_;
    for (const Swap& s : swaps_) all_ += s.received;
  }

  void new_list() {
    once(profile_.leave);
    // A few atoms of the faces change their rank: small messages, however many exactly.
    const double atoms = std::ceil(0.02 * load_.skin * density_ * std::pow(own_ / density_, 2.0 / 3.0));
    for (const Swap& axis : axes_) {
      const Swap down{axis.to, axis.from, atoms, atoms}, up{axis.from, axis.to, atoms, atoms};
      add_all(profile_.migrate_axis, &down);
      add_all(profile_.migrate, &down);
      add_all(profile_.migrate, &up);
      add_all(profile_.migrate_end, &down);
    }
    each_swap(profile_.borders);
    once(profile_.list);
  }

  void add_all(const Words& words, const Swap* swap) {
    for (const std::string& word : words) add(word, swap);
  }
  void once(const Words& words) { add_all(words, nullptr); }
  void each_swap(const Words& words) {
    for (const Swap& s : swaps_) add_all(words, &s);
  }
  void each_swap_back(const Words& words) {
    for (auto s = swaps_.rbegin(); s != swaps_.rend(); ++s) add_all(words, &*s);
  }

  double atoms_of(Word::Set set, const Swap* swap) const {
    switch (set) {
      case Word::Set::own:
        return own_;
      case Word::Set::all:
        return all_;
      case Word::Set::sent:
        return swap == nullptr ? 0.0 : swap->sent;
      case Word::Set::received:
        return swap == nullptr ? 0.0 : swap->received;
      case Word::Set::once:
        break;
    }
    return 1.0;
  }

  void add(const std::string& text, const Swap* swap) {
    const Word w = parsed(text);
    const double atoms = atoms_of(w.set, swap), bytes = w.kernel.kind.bytes_per_item;
    WorkEvent e;
    e.kind = w.kind;
    if (w.kind == Kind::kernel) {
      if (atoms == 0.0) return;  // Kokkos starts no kernel without items
      e.what = number_of(w.kernel);
      e.load = {atoms, load_.neighbours * (profile_.half_list ? 0.5 : 1.0)};
    } else if (w.kind == Kind::exchange) {
      if (swap == nullptr || swap->to == rank_) return;  // what stays on the rank is no message
      const bool numbers = w.set == Word::Set::once;
      e.bytes_out = std::llround(bytes * (numbers ? 1.0 : w.back ? swap->received : swap->sent));
      e.bytes_in = std::llround(bytes * (numbers ? 1.0 : w.back ? swap->sent : swap->received));
      e.to = w.back ? swap->from : swap->to;
      e.from = w.back ? swap->to : swap->from;
    } else {
      e.bytes_out = std::llround(bytes * atoms);
    }
    events_.push_back(e);
  }

  int number_of(const RecordedKernel& kernel) {
    auto& all = record_.kernels;
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const RecordedKernel& k) { return k.label == kernel.label; });
    if (found != all.end()) return static_cast<int>(found - all.begin());
    all.push_back(kernel);
    return static_cast<int>(all.size()) - 1;
  }

  const MdProfile& profile_;
  const MdWorkload& load_;
  const std::array<int, 3>& grid_;
  WorkRecord& record_;
  int rank_;
  double density_ = 0.0, own_ = 0.0, all_ = 0.0;
  std::array<double, 3> share_{};   ///< of the mean number of atoms, by its slice of each axis
  std::array<double, 3> ghosts_{};  ///< depth of the ghosts of axes that are done
  std::vector<Swap> swaps_, axes_;
  std::vector<WorkEvent> events_;
};

}  // namespace

MdWorkload MdWorkload::read(const std::string& path, const std::vector<std::string>& changes) {
  Deck deck = Deck::read(path, changes, "--workload-set");
  constexpr Range sizes{1e-6, 1e9};
  MdWorkload w;
  w.file = path;
  w.name = deck.text("name", std::nullopt, "what results call the workload");
  w.title = deck.text("title", std::nullopt, "for readers");
  w.atoms = deck.number("atoms", std::nullopt, "of the whole box", {1.0, 1e14});
  const auto box = deck.numbers("box", std::nullopt, "its edges");
  if (box.size() != 3 || !std::all_of(box.begin(), box.end(), [](double x) { return 0.0 < x && x < 1e12; }))
    deck.reject("box", "three lengths above 0");
  std::copy(box.begin(), box.end(), w.box.begin());
  const auto faces = deck.texts("boundary", std::nullopt, "of each axis");
  if (faces.size() != 3) deck.reject("boundary", "three times open or periodic");
  for (std::size_t d = 0; d < 3; ++d) {
    if (faces[d] != "open" && faces[d] != "periodic") deck.reject("boundary", "three times open or periodic");
    w.periodic[d] = faces[d] == "periodic";
  }
  const auto planes =
      deck.numbers("planes", std::vector<double>{0, 0, 0}, "of a crystal across each axis, 0: spread evenly");
  if (planes.size() != 3 || !std::all_of(planes.begin(), planes.end(),
                                         [](double n) { return n >= 0 && n <= 1e8 && n == std::floor(n); }))
    deck.reject("planes", "three whole numbers from 0");
  for (std::size_t d = 0; d < 3; ++d) w.planes[d] = static_cast<int>(planes[d]);
  w.cutoff = deck.number("cutoff", std::nullopt, "of the potential", sizes);
  w.skin = deck.number("skin", std::nullopt, "of the neighbour list", {0.0, 1e9});
  w.neighbours = deck.number("neighbours", std::nullopt, "of an atom within cut-off and skin", {0.0, 1e6});
  w.steps_of_a_list = deck.number("steps_of_a_list", std::nullopt, "from one list to the next", {1.0, 1e9});
  deck.text("source", std::nullopt, "where the numbers come from");
  deck.finish();
  return w;
}

MdProfile MdProfile::read(const std::string& path) {
  Deck deck = Deck::read(path, {}, "--profile-set");
  MdProfile p;
  p.file = path;
  p.name = deck.text("name", std::nullopt, "what results call the profile");
  p.title = deck.text("title", std::nullopt, "for readers");
  p.half_list = deck.choice("neighbour_list", std::nullopt, {"full", "half"}, "pairs of a list") == "half";
  const auto ranks = deck.numbers("ranks", std::vector<double>{0, 0, 0}, "along each axis, 0: chosen");
  if (ranks.size() != 3 || !std::all_of(ranks.begin(), ranks.end(),
                                        [](double n) { return n >= 0 && n <= 1e6 && n == std::floor(n); }))
    deck.reject("ranks", "three whole numbers from 0");
  for (std::size_t d = 0; d < 3; ++d) p.ranks[d] = static_cast<int>(ranks[d]);
  const std::array<std::pair<const char*, Words MdProfile::*>, 16> lists{
      {{"begin", &MdProfile::begin},
       {"positions", &MdProfile::positions},
       {"positions_alone", &MdProfile::positions_alone},
       {"leave", &MdProfile::leave},
       {"migrate_axis", &MdProfile::migrate_axis},
       {"migrate", &MdProfile::migrate},
       {"migrate_end", &MdProfile::migrate_end},
       {"borders", &MdProfile::borders},
       {"list", &MdProfile::list},
       {"first_pass", &MdProfile::first_pass},
       {"values_back", &MdProfile::values_back},
       {"second_pass", &MdProfile::second_pass},
       {"values", &MdProfile::values},
       {"third_pass", &MdProfile::third_pass},
       {"forces_back", &MdProfile::forces_back},
       {"end", &MdProfile::end}}};
  for (const auto& [key, member] : lists) {
    const std::string full = fmt::format("work.{}", key);
    p.*member = deck.texts(full, Words{}, "what is done, one word of the profile each");
    for (const std::string& word : p.*member) try {
        parsed(word);
      } catch (const InputError& e) {
        deck.reject(full, e.what());
      }
  }
  deck.finish();
  return p;
}

std::array<int, 3> grid_of(const MdProfile& profile, const MdWorkload& workload, int ranks) {
  return CartesianGrid::dims_for(ranks, profile.ranks, workload.box);
}

WorkRecord md_record(const MdProfile& profile, const MdWorkload& workload, const std::array<int, 3>& grid,
                     int steps, int lists) {
  WorkRecord r;
  for (std::size_t d = 0; d < 3; ++d) r.grid[d] = recorded_along(grid[d], workload.planes[d]);
  r.steps = steps;
  for (int rank = 0; rank < r.size(); ++rank)
    r.ranks.push_back(RankWriter(profile, workload, grid, r, rank).write(steps, lists));
  return r;
}

}  // namespace wafermark
