#include <algorithm>
#include <cmath>

#include "common/communicator.hpp"
#include "tools/kernel_clock/md_profile.hpp"
#include "tools/kernel_clock/md_word.hpp"

namespace wafermark {
namespace {

using Kind = WorkEvent::Kind;
using Words = MdProfile::Words;

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

  double atoms_of(MdWord::Set set, const Swap* swap) const {
    switch (set) {
      case MdWord::Set::own:
        return own_;
      case MdWord::Set::all:
        return all_;
      case MdWord::Set::sent:
        return swap == nullptr ? 0.0 : swap->sent;
      case MdWord::Set::received:
        return swap == nullptr ? 0.0 : swap->received;
      case MdWord::Set::once:
        break;
    }
    return 1.0;
  }

  void add(const std::string& text, const Swap* swap) {
    const MdWord w = parse_md_word(text);
    const double atoms = atoms_of(w.set, swap), bytes = w.kernel.kind.bytes_per_item;
    WorkEvent e;
    e.kind = w.kind;
    if (w.kind == Kind::kernel) {
      if (atoms == 0.0) return;  // Kokkos starts no kernel without items
      e.what = number_of(w.kernel);
      e.load = {atoms, load_.neighbours * (profile_.half_list ? 0.5 : 1.0)};
    } else if (w.kind == Kind::exchange) {
      if (swap == nullptr || swap->to == rank_) return;  // what stays on the rank is no message
      const bool numbers = w.set == MdWord::Set::once;
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
