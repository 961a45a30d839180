// Atoms change tiles, so that neighbours stay few tiles apart while they diffuse.
#include <algorithm>

#include "tungsten_md/wafer/tile_block.hpp"

namespace wafermark::tungsten {
namespace {

constexpr float gain_worth_a_swap = 0.25f;  // Angstrom^2: above what heat does to two atoms on their sites

}  // namespace

std::int64_t TileBlock::swap_atoms(const wse::MarchingMulticast& choices, wse::Messages& swapped,
                                   wse::Messages& tables) {
  // With S the separation of two tiles' sites and d that of their atoms, a swap lowers the sum of squared
  // distances from the sites by -2 S.d: it pays where the atoms stand the other way round than their sites.
  // Atoms stay in their layer.
  const auto stack = static_cast<int>(stack_);
  const std::size_t places = stack_ * border_.border().size();
  std::vector<int> partner(places, -1);
  for_each_atom("choose_partner", [&](std::size_t i) {
    const Place here = place(i);
    const float* home = &homes_[4 * here.at];
    float best = gain_worth_a_swap;
    for (int e = 0; e < list_count_[i]; ++e) {
      const std::size_t k = list_[i * list_stride_ + static_cast<std::size_t>(e)];
      if (window_[k].layers_on != 0) continue;
      const Vector<float> d = separation_to(sites_, here, atoms_[i].x, k);
      const Vector<float> s = separation_to(homes_, here, {home[0], home[1], home[2]}, k);
      const float gain = swap_gain(s, d);
      // Sites further apart than atoms interact are not neighbours (and may have another nearest image).
      if (gain > best && squared_length(s.x, s.y, s.z) < tables_.cutoff_squared) {
        best = gain;
        partner[here.at] = static_cast<int>(k);
      }
    }
  });
  if (stack == 1)
    choices.move(border_, partner, 1, 0);
  else
    border_.fill(partner, stack);
  std::vector<float> state(9 * places);
  std::vector<std::int64_t> ids(places);
  std::vector<int> types(places, 0);
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    const TileAtom& a = atoms_[i];
    const std::size_t at = bordered(i);
    const float words[9] = {a.x.x, a.x.y, a.x.z, a.v.x, a.v.y, a.v.z, a.f.x, a.f.y, a.f.z};
    std::copy_n(words, 9, state.begin() + static_cast<std::ptrdiff_t>(9 * at));
    ids[at] = a.id;
    types[at] = a.type;
  }
  border_.fill(state, 9 * stack);
  border_.fill(ids, stack);
  border_.fill(types, stack);
  std::int64_t changed = 0;
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    const std::size_t at = bordered(i);
    if (partner[at] < 0) continue;
    const auto k = static_cast<std::size_t>(partner[at]);
    const auto there = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(at) + window_[k].offset);
    // The window is symmetric: the way back has the mirrored number.
    if (partner[there] != static_cast<int>(window_.size() - 1 - k)) continue;
    // From one column's corner to the other's: what separation() takes off.
    const Vector<float> d = separation_to(sites_, place(i), {0.0f, 0.0f, 0.0f}, k);
    const float* s = &state[9 * there];
    TileAtom& a = atoms_[i];
    a.id = ids[there];
    a.type = types[there];
    a.x = {-d.x, -d.y, s[2]};
    a.v = {s[3], s[4], s[5]};
    a.f = {s[6], s[7], s[8]};
    const bool straight = layout_.axis[0] == 0;
    const int across = (straight ? window_[k].column_dx : window_[k].column_dy) - seen_,
              down = (straight ? window_[k].column_dy : window_[k].column_dx) - seen_;
    const auto [gx, gy] = on_grid(i);
    const int row = patch_ * gy * layout_.layers() + layer_of(i);
    swapped.sent(patch_ * gx, row, patch_ * across, patch_ * down);
    if (types[at] != types[there]) tables.sent(patch_ * gx, row, patch_ * across, patch_ * down);
    ++changed;
  }
  if (comm_->max(changed) > 0) list_valid_ = false;
  return changed;
}

float TileBlock::squared_displacement(const float* x, const float* home) const {
  float dz = x[2] - home[2];
  if (z_.on) dz = nearest_image(dz, z_.length, z_.inverse_length);
  return squared_length(x[0] - home[0], x[1] - home[1], dz);
}

float TileBlock::displacement_squared(std::size_t tile) const {
  const Vector<float>& x = atoms_[tile].x;
  const float at[3] = {x.x, x.y, x.z};
  return squared_displacement(at, &homes_[4 * bordered(tile)]);
}

}  // namespace wafermark::tungsten
