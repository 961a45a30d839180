#include "tungsten_md/wafer/tile_block.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int moving_share = 2;  // the share of the tile that moves the atom, north-western in its patch

}  // namespace

std::array<int, 2> TileBlock::on_grid(std::size_t tile) const {
  const auto width = static_cast<std::size_t>(block_.width),
             layers = static_cast<std::size_t>(layout_.layers());
  return {block_.x0 + static_cast<int>(tile % width), block_.y0 + static_cast<int>(tile / width / layers)};
}

int TileBlock::layers_apart(int a, int b) const {
  const int d = std::abs(a - b);
  return layout_.ring_of_layers ? std::min(d, layout_.layers() - d) : d;
}

std::int64_t TileBlock::number(std::size_t tile) const {
  const auto [gx, gy] = on_grid(tile);
  return layout_.tile(gx, gy, layer_of(tile));
}

std::optional<std::size_t> TileBlock::with_number(std::int64_t number) const {
  const std::int64_t width = layout_.grid.width, layers = layout_.layers(), row = number / width,
                     x = number % width - block_.x0, y = row / layers - block_.y0;
  if (number < 0 || x < 0 || x >= block_.width || y < 0 || y >= block_.height) return std::nullopt;
  return static_cast<std::size_t>((y * layers + row % layers) * block_.width + x);
}

std::size_t TileBlock::machine_tile(std::size_t tile, int share) const {
  if (patch_ == 1) return tile;
  // Each at the corner of the patch that its share of the neighbourhood lies beside.
  constexpr std::size_t east[] = {1, 0, 0, 1}, south[] = {1, 1, 0, 0};
  const auto width = static_cast<std::size_t>(block_.width);
  return (2 * (tile / width) + south[share]) * 2 * width + 2 * (tile % width) + east[share];
}

std::size_t TileBlock::mover(std::size_t tile) const { return machine_tile(tile, moving_share); }

std::vector<std::size_t> TileBlock::machine_tiles(std::size_t tile) const {
  std::vector<std::size_t> tiles;
  for (int share = 0; share < patch_ * patch_; ++share) tiles.push_back(machine_tile(tile, share));
  return tiles;
}

TileItems TileBlock::items() const {
  TileItems items(atoms_.size() * static_cast<std::size_t>(patch_ * patch_));
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (atoms_[i].id < 0) continue;
    items.atoms[mover(i)] = 1;
    const int tiles = patch_ * patch_;
    for (int share = 0; share < tiles; ++share) {
      items.working[machine_tile(i, share)] = 1;
      items.candidates[machine_tile(i, share)] =
          (candidates_[i] + tiles - 1 - share) / tiles;  // dealt evenly
    }
  }
  return items;
}

void TileBlock::atoms_removed(TileItems& items) {
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (atoms_[i].id >= 0) continue;
    atoms_[i] = {};
    density_slope_[i] = 0.0f;
    energy_[i] = virial_[i] = 0.0;
    neighbours_[i] = 0;
    if (shares_ > 1) found_[i] = {};
    for (const std::size_t tile : machine_tiles(i))
      for (auto* list :
           {&items.atoms, &items.candidates, &items.listed, &items.neighbours, &items.entered, &items.pairs,
            &items.partners, &items.fast, &items.slow, &items.bathed, &items.unbathed})
        (*list)[tile] = 0;
  }
  atoms_changed();
}

void TileBlock::count_items(TileItems& items) const {
  const int tiles = patch_ * patch_;
  if (tiles == 1) {
    items.partners = neighbours_;
    items.neighbours = untested_ ? list_count_ : neighbours_;
    items.entered = lasting_ ? list_count_ : neighbours_;
    if (lasting_) items.listed = list_count_;
    items.pairs = items.neighbours;
    if (shares_ == 2)
      for (std::size_t i = 0; i < atoms_.size(); ++i) items.pairs[i] = found_[i][0];
    return;
  }
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (atoms_[i].id < 0) continue;
    items.partners[mover(i)] = neighbours_[i];
    for (int share = 0; share < tiles; ++share) {
      const std::size_t tile = machine_tile(i, share);
      const int own = found_[i][static_cast<std::size_t>(share)];
      const int listed = lasting_ ? (list_count_[i] + tiles - 1) / tiles : 0;
      items.neighbours[tile] = items.pairs[tile] = own;
      items.listed[tile] = listed;
      items.entered[tile] = lasting_ ? listed : own;
    }
  }
}

void TileBlock::count_of_atoms(const std::vector<double>& values, std::vector<int>& some,
                               std::vector<int>& others) const {
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    const std::size_t tile = mover(i);
    some[tile] = atoms_[i].id >= 0 && values[i] != 0.0 ? 1 : 0;
    others[tile] = atoms_[i].id >= 0 && values[i] == 0.0 ? 1 : 0;
  }
}

void TileBlock::kick_and_drift(float dt) {
  for_each_atom("kick_and_drift", [&](std::size_t i) {
    TileAtom& a = atoms_[i];
    a.v = kicked(a.v, a.f, inverse_mass_[static_cast<std::size_t>(a.type)], 0.5f * dt);
    a.x = drifted(a.x, a.v, dt);
  });
}

void TileBlock::kick(float dt) {
  for_each_atom("kick", [&](std::size_t i) {
    TileAtom& a = atoms_[i];
    a.v = kicked(a.v, a.f, inverse_mass_[static_cast<std::size_t>(a.type)], 0.5f * dt);
  });
}

void TileBlock::repeat_layers() {
  if (!layout_.ring_of_layers) return;
  const wse::Border& border = border_.border();
  const auto seen = static_cast<std::size_t>(layers_seen_),
             layers = static_cast<std::size_t>(layout_.layers());
  for (int y = 0; y < block_.height; ++y)
    for (int x = 0; x < block_.width; ++x) {
      const auto first = sites_.begin() + static_cast<std::ptrdiff_t>(4 * stack_ * border.index(x, y));
      const auto at = [&](std::size_t record) { return first + static_cast<std::ptrdiff_t>(4 * record); };
      for (std::size_t k = 0; k < seen; ++k) {
        std::copy_n(at(layers + k), 4, at(k));
        std::copy_n(at(seen + k), 4, at(seen + layers + k));
      }
    }
}

void TileBlock::send(const wse::MarchingMulticast& pattern, int first) {
  if (stack_ == 1) return pattern.move(border_, sites_, 4, first);
  // The layers of a place are on one rank: they travel together.
  repeat_layers();
  border_.fill(sites_, static_cast<int>(4 * stack_));
}

bool TileBlock::multicast_positions(const wse::MarchingMulticast& pattern, bool new_lists) {
  float moved = 0.0f;
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    const Vector<float>& x = atoms_[i].x;
    float* site = &sites_[4 * bordered(i)];
    const bool there = atoms_[i].id >= 0;
    site[0] = there ? x.x : ListPiece::far_away;
    site[1] = there ? x.y : ListPiece::far_away;
    site[2] = there ? x.z : ListPiece::far_away;
    if (!there || !list_valid_) continue;
    const Vector<float>& old = x_at_build_[i];
    const float d2 = squared_length(x.x - old.x, x.y - old.y, x.z - old.z);
    moved = d2 <= moved ? moved : d2;  // a position that is no number ends the list
  }
  send(pattern, 0);
  const float limit = 0.25f * skin * skin;
  const int stale = !list_valid_ || (lasting_ ? new_lists : !(moved < limit));
  const bool renew = comm_->max(stale) > 0;
  if (renew) build_list((cutoff_ + list_skin_) * (cutoff_ + list_skin_));
  return renew;
}

template <class Found>
void TileBlock::for_near_candidates(std::size_t tile, float within, const Found& found) const {
  constexpr int width = Lanes<Lane>::width;
  const Place here = place(tile);
  const Vector<float> own = atoms_[tile].x;
  const bool straight = layout_.axis[0] == 0;
  const int b = layout_.reach, g = layout_.layers_each_side;
  const auto lanes = load_indices<Lane>(lane_offsets_.data());
  // Along a row of tiles one corner changes from tile to tile, the other does not.
  const float *along = straight ? here.corners_x : here.corners_y,
              *across = straight ? here.corners_y : here.corners_x;
  std::size_t first = 0;  // number of the row's first candidate; the tile itself is none
  for (int on = -g; on <= g; ++on)
    for (int dy = -b; dy <= b; ++dy) {
      const float* row =
          sites_.data() + 4 * (static_cast<std::ptrdiff_t>(here.at) + candidate_offset(-b, dy, on));
      const Lane corner_across(across[dy + seen_]);
      for (int at = 0; at <= 2 * b; at += width) {
        const Lane corner_along = load_values<Lane>(along + seen_ - b + at);
        const Quad<Lane> other = load_quads(row + 4 * static_cast<std::ptrdiff_t>(stack_) * at, lanes);
        const PeriodicZ<Lane> z{z_.on, Lane(z_.length), Lane(z_.inverse_length)};
        const Vector<Lane> d = separation(
            Vector<Lane>{Lane(own.x), Lane(own.y), Lane(own.z)}, Vector<Lane>{other.a, other.b, other.c},
            straight ? corner_along : corner_across, straight ? corner_across : corner_along, z);
        unsigned near = mask_bits(squared_length(d.x, d.y, d.z) < Lane(within));
        for (; near != 0; near &= near - 1) {
          const int place = at + std::countr_zero(near);
          const bool itself = on == 0 && dy == 0 && place == b;
          if (place <= 2 * b && !itself)
            found(first + static_cast<std::size_t>(place) - (on == 0 && dy == 0 && place > b ? 1 : 0));
        }
      }
      first += static_cast<std::size_t>(2 * b + (on == 0 && dy == 0 ? 0 : 1));
    }
}

void TileBlock::build_list(float within) {
  list_count_.assign(atoms_.size(), 0);
  x_at_build_.resize(atoms_.size());
  const auto search = [&](bool store) {
    for_each_atom("near_candidates", [&](std::size_t i) {
      int n = 0;
      for_near_candidates(i, within, [&](std::size_t k) {
        if (store && static_cast<std::size_t>(n) < list_stride_)
          list_[i * list_stride_ + static_cast<std::size_t>(n)] = static_cast<std::uint16_t>(k);
        ++n;
      });
      list_count_[i] = n;
      x_at_build_[i] = atoms_[i].x;
    });
    return static_cast<std::size_t>(*std::max_element(list_count_.begin(), list_count_.end()));
  };
  const std::size_t most = search(list_stride_ > 0);
  if (most > list_stride_) {
    list_stride_ = most + 4;
    list_.resize(list_stride_ * atoms_.size());
    search(true);
  }
  list_valid_ = true;
}

template <class Add>
void TileBlock::for_pieces_of_list(std::size_t tile, const Add& add) const {
  constexpr PeriodicZ<float> not_yet{false, 0.0f, 0.0f};
  const Place here = place(tile);
  const std::uint16_t* list = &list_[tile * list_stride_];
  const Vector<float> own = atoms_[tile].x;
  ListPiece near;
  for (int e = 0; e < list_count_[tile]; e += ListPiece::most) {
    near.size = 0;
    const int end = std::min(list_count_[tile], e + ListPiece::most);
    for (int k = e; k < end; ++k) {
      const Candidate& c = window_[list[k]];
      const float* other = sites_.data() + 4 * (static_cast<std::ptrdiff_t>(here.at) + c.offset);
      near.add(separation_to(sites_, here, own, c, not_yet), other[3], c.share);
    }
    add(near);
  }
}

void TileBlock::sum_densities() {
  if (elements_ > 1) return sum_alloy_densities();
  squares_ ? sum_densities(*squares_) : sum_densities(tables_);
}

template <class Tables>
void TileBlock::sum_densities(const Tables& tables) {
  const Taken taken = untested_ ? Taken::all : Taken::within_cutoff;
  for_each_atom("densities", [&](std::size_t i) {
    DensitySum sum;
    for_pieces_of_list(i, [&](ListPiece& near) {
      add_densities<Lane>(near, tables, z_, tables_.cutoff_squared, taken, shares_, sum);
    });
    const auto& partial = sum.partial;
    const float density = (partial[0] + partial[1]) + (partial[2] + partial[3]);
    const Embedding<float> f = embed(tables_.embedding, tables_.nrho, tables_.inverse_drho, density);
    neighbours_[i] = sum.neighbours;
    if (shares_ > 1) found_[i] = sum.found;
    energy_[i] = static_cast<double>(f.energy);
    density_slope_[i] = f.slope;
  });
}

void TileBlock::multicast_slopes(const wse::MarchingMulticast& pattern) {
  for (std::size_t i = 0; i < atoms_.size(); ++i) sites_[4 * bordered(i) + 3] = density_slope_[i];
  send(pattern, 3);
}

void TileBlock::sum_forces(bool with_energy) {
  if (elements_ > 1) return sum_alloy_forces(with_energy);
  squares_ ? sum_forces(*squares_, with_energy) : sum_forces(tables_, with_energy);
}

template <class Tables>
void TileBlock::sum_forces(const Tables& tables, bool with_energy) {
  const Taken taken = untested_ ? Taken::all : Taken::within_cutoff;
  for_each_atom("forces", [&](std::size_t i) {
    ForceSum forces{.with_energy = with_energy};
    for_pieces_of_list(i, [&](ListPiece& near) {
      add_forces<Lane>(near, tables, z_, tables_.cutoff_squared, taken, density_slope_[i], forces);
    });
    const auto& force = forces.partial;
    atoms_[i].f = sum(sum(force[0], force[1]), sum(force[2], force[3]));
    if (with_energy) {
      energy_[i] += forces.pair_energy;
      virial_[i] = forces.virial;
    }
  });
}

float TileBlock::longest_step(const StepLimits<float>& limits, float longest, int steps) const {
  const auto factor = static_cast<float>(acceleration_factor(steps));
  for (const TileAtom& a : atoms_)
    if (a.id >= 0)
      longest = std::min(longest, longest_time_step(a.v.x, a.v.y, a.v.z, a.f.x, a.f.y, a.f.z,
                                                    inverse_mass_[static_cast<std::size_t>(a.type)] * factor,
                                                    limits, longest));
  return longest;
}

std::vector<double> TileBlock::slow(const std::vector<StoppingLaw<float>>& laws, float dt) {
  std::vector<double> lost(atoms_.size(), 0.0);
  for_each_atom("stopping", [&](std::size_t i) {
    Vector<float>& v = atoms_[i].v;
    const auto type = static_cast<std::size_t>(atoms_[i].type);
    const float v2 = squared_length(v.x, v.y, v.z), factor = slowing(laws[type], mass_ev_[type], v2, dt);
    if (factor == 1.0f) return;
    v = scaled(v, factor);
    lost[i] = 0.5 * static_cast<double>(mass_ev_[type]) *
              (static_cast<double>(v2) - static_cast<double>(squared_length(v.x, v.y, v.z)));
  });
  return lost;
}

std::vector<double> TileBlock::bathe(const QuietRegion<double>& quiet,
                                     const std::vector<HeatBath<float>>& baths, std::uint64_t seed,
                                     std::int64_t step) {
  std::vector<double> heat(atoms_.size(), 0.0);
  for_each_atom("heat_bath", [&](std::size_t i) {
    const Vec3 x = position(i);
    if (quiet.holds(x[0], x[1], x[2])) return;
    TileAtom& a = atoms_[i];
    const HeatBath<float>& bath = baths[static_cast<std::size_t>(a.type)];
    const Triple g = gaussian_triple(seed, static_cast<std::uint64_t>(a.id), static_cast<std::uint64_t>(step),
                                     Stream::langevin);
    const Vector<float> old = a.v;
    a.v = {bathed(bath, old.x, static_cast<float>(g.x)), bathed(bath, old.y, static_cast<float>(g.y)),
           bathed(bath, old.z, static_cast<float>(g.z))};
    const auto squared = [](const Vector<float>& v) {
      const double vx = v.x, vy = v.y, vz = v.z;
      return vx * vx + vy * vy + vz * vz;
    };
    heat[i] =
        0.5 * static_cast<double>(mass_ev_[static_cast<std::size_t>(a.type)]) * (squared(a.v) - squared(old));
  });
  return heat;
}

Vec3 TileBlock::position(std::size_t tile) const {
  const std::array<int, 2> at = on_grid(tile);
  const Vector<float>& x = atoms_[tile].x;
  Vec3 p{x.x, x.y, x.z};
  for (std::size_t g = 0; g < 2; ++g)
    p[static_cast<std::size_t>(layout_.axis[g])] += layout_.corner(static_cast<int>(g), at[g]);
  p[2] += layout_.middle_z;
  return p;
}

int TileBlock::widest_pair() const {
  int widest = 0;
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (atoms_[i].id < 0) continue;
    for (int e = 0; e < list_count_[i]; ++e) {
      const std::size_t k = list_[i * list_stride_ + static_cast<std::size_t>(e)];
      if (window_[k].distance <= widest) continue;
      const Vector<float> d = separation_to(sites_, place(i), atoms_[i].x, k);
      if (squared_length(d.x, d.y, d.z) < tables_.cutoff_squared) widest = window_[k].distance;
    }
  }
  return comm_->max(widest);
}

int TileBlock::max_neighbours() const {
  const auto& held = lasting_ ? list_count_ : neighbours_;
  return comm_->max(*std::max_element(held.begin(), held.end()));
}

}  // namespace wafermark::tungsten
