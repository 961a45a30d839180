// How a rank's tiles are made: constants, neighbourhoods, memory, and the atoms that begin on them.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tungsten_md/model/units.hpp"
#include "tungsten_md/wafer/tile_block.hpp"

namespace wafermark::tungsten {
namespace {

/// Two shares: the half that a tile computes itself and the half that comes back to it. Four: quarters of the
/// neighbourhood, each of b (b + 1) tiles and beside the tile's own row or column, so that it hears one
/// stream per stage.
int share_of(int dx, int dy, int shares) {
  if (shares == 2) return dy > 0 || (dy == 0 && dx > 0) ? 0 : 1;
  if (shares == 4) return dx > 0 && dy >= 0 ? 0 : dx <= 0 && dy > 0 ? 1 : dx < 0 && dy <= 0 ? 2 : 3;
  return 0;
}

/// Tiles of a line within b of the one at `at`, itself too.
int tiles_within(int b, int at, int tiles, bool ring) {
  return ring ? 2 * b + 1 : std::min(tiles - 1, at + b) - std::max(0, at - b) + 1;
}

}  // namespace

TileBlock::TileBlock(const Communicator& comm, const wse::Blocks& blocks, const TileLayout& layout,
                     const Configuration& start, const PotentialTables& t,
                     const std::vector<SquaredTables>& squares, const WaferSettings& settings)
    : comm_(&comm),
      layout_(layout),
      box_(start.box),
      block_(blocks.mine()),
      rim_(layout.structure ? rim_of_structure(layout, start, t.cutoff_angstrom, block_)
                            : rim_of(layout, start, t.cutoff_angstrom)),
      seen_(comm.max(reach_with_rim(layout, rim_))),
      layers_seen_(layers_with_rim(layout, rim_)),
      stack_(static_cast<std::size_t>(layout.layers() + 2 * layers_seen_)),
      border_(comm, blocks, seen_),
      lasting_(settings.list_reuse > 1),
      untested_(settings.untested_lists),
      list_skin_(lasting_ ? static_cast<float>(settings.list_skin_angstrom) : skin),
      patch_(settings.tiles_per_atom == 4 ? 2 : 1),
      shares_(settings.force_symmetry ? 2 : settings.tiles_per_atom),
      elements_(static_cast<int>(t.elements.size())) {
  for (const auto& element : t.elements) {
    mass_ev_.push_back(static_cast<float>(element.mass_amu * units::amu_a2_per_ps2_in_ev));
    inverse_mass_.push_back(static_cast<float>(1.0 / element.mass_amu));
  }
  cutoff_ = static_cast<float>(t.cutoff_angstrom);
  copy_tables(t, squares);
  const double length = start.box.length(2);
  z_ = {start.box.periodic[2], static_cast<float>(length), static_cast<float>(1.0 / length)};
  look_around();
  make_room();
  settle(start);
  bin_sites();
}

void TileBlock::look_around() {
  const int b = layout_.reach;
  for (int on = -layout_.layers_each_side; on <= layout_.layers_each_side; ++on)
    for (int dy = -b; dy <= b; ++dy)
      for (int dx = -b; dx <= b; ++dx)
        if (dx != 0 || dy != 0 || on != 0) window_.push_back(candidate(dx, dy, on));
  for (int g = 0; g < 2; ++g) {
    std::vector<float>& corners = layout_.axis[static_cast<std::size_t>(g)] == 0 ? corner_x_ : corner_y_;
    for (int at = 0; at < layout_.tiles_per_column[static_cast<std::size_t>(g)]; ++at)
      for (int d = -seen_; d <= seen_; ++d)
        corners.push_back(static_cast<float>(layout_.corner(g, at + d) - layout_.corner(g, at)));
  }
  for (auto* corners : {&corner_x_, &corner_y_}) corners->resize(corners->size() + Lanes<Lane>::width, 0.0f);
  const bool straight = layout_.axis[0] == 0;
  for (int y = 0; y < layout_.tiles_per_column[1]; ++y)
    for (int x = 0; x < layout_.tiles_per_column[0]; ++x) {
      const std::ptrdiff_t row_length = 2 * seen_ + 1, across = x * row_length, down = y * row_length;
      corner_rows_.push_back(straight ? std::array{across, down} : std::array{down, across});
    }
}

void TileBlock::make_room() {
  const auto n = static_cast<std::size_t>(block_.tiles() * layout_.layers());
  atoms_.resize(n);
  density_slope_.assign(n, 0.0f);
  energy_.assign(n, 0.0);
  virial_.assign(n, 0.0);
  neighbours_.assign(n, 0);
  if (shares_ > 1) found_.assign(n, {});
  // Lanes may read on behind the last tile.
  constexpr std::size_t width = Lanes<Lane>::width;
  sites_.assign(4 * stack_ * (border_.border().size() + width), ListPiece::far_away);
  for (std::size_t lane = 0; lane < width; ++lane) lane_offsets_.push_back(static_cast<int>(lane * stack_));
  homes_.assign(sites_.size(), ListPiece::far_away);
  if (elements_ > 1) types_.assign(border_.border().size(), 0);
  const auto [p, q] = layout_.tiles_per_column;
  for (std::size_t i = 0; i < n; ++i) {
    const auto [gx, gy] = on_grid(i);
    const int layer = layer_of(i);
    in_column_.push_back(static_cast<std::uint32_t>(gy % q * p + gx % p));
    bordered_.push_back(
        static_cast<std::uint32_t>(stack_ * border_.border().index(gx - block_.x0, gy - block_.y0) +
                                   static_cast<std::size_t>(layer + layers_seen_)));
    candidates_.push_back(tiles_within(layout_.reach, gx, layout_.grid.width, layout_.grid.ring[0]) *
                              tiles_within(layout_.reach, gy, layout_.grid.height, layout_.grid.ring[1]) *
                              layout_.layers_seen(layer) -
                          1);
  }
}

std::int64_t TileBlock::first_atom(std::size_t tile) const {
  const auto [gx, gy] = on_grid(tile);
  return layout_.atom_on(gx, gy, layer_of(tile));
}

void TileBlock::settle(const Configuration& start) {
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    const std::int64_t k = first_atom(i);
    if (k < 0) continue;
    const auto from = static_cast<std::size_t>(k);
    place_atom(i, start.atoms.id[from], start.atoms.type[from], start.atoms.x[from], start.atoms.v[from]);
    const TileAtom& a = atoms_[i];
    float* home = &homes_[4 * bordered(i)];
    home[0] = a.x.x;
    home[1] = a.x.y;
    home[2] = a.x.z;
  }
  sites_.swap(homes_);
  repeat_layers();
  sites_.swap(homes_);
  border_.fill(homes_, static_cast<int>(4 * stack_));
}

void TileBlock::copy_tables(const PotentialTables& t, const std::vector<SquaredTables>& squares) {
  const auto elements = t.elements.size(), of_pair = 8 * (static_cast<std::size_t>(t.nr) + 1);
  radial_.assign(elements * elements * of_pair, 0.0f);
  for (std::size_t pair = 0; pair < elements * elements; ++pair) {
    const std::size_t a = pair / elements, b = pair % elements;
    const auto density = lammps_spline(t.density[a][b]), r_phi = lammps_spline(t.r_phi[a][b]);
    float* radial = &radial_[pair * of_pair];
    for (std::size_t m = 0; m < static_cast<std::size_t>(t.nr); ++m)
      for (std::size_t c = 0; c < 4; ++c) {
        radial[8 * m + c] = static_cast<float>(density[4 * m + c]);
        radial[8 * m + 4 + c] = static_cast<float>(r_phi[4 * m + c]);
      }
  }
  for (const auto& of_element : t.embedding)
    for (const double c : lammps_spline(of_element)) embedding_.push_back(static_cast<float>(c));
  tables_ = {radial_.data(),
             embedding_.data(),
             t.nr,
             t.nrho,
             static_cast<float>(1.0 / t.dr),
             static_cast<float>(1.0 / t.drho),
             cutoff_ * cutoff_};
  if (squares.empty()) return;
  for (const SquaredTables& pair : squares) {
    densities_over_squares_.insert(densities_over_squares_.end(), pair.density.begin(), pair.density.end());
    slopes_over_squares_.insert(slopes_over_squares_.end(), pair.slopes.begin(), pair.slopes.end());
  }
  const SquaredTables& first = squares.front();  // all have one grid
  squares_ = {densities_over_squares_.data(), slopes_over_squares_.data(), static_cast<float>(1.0 / first.du),
              static_cast<float>(0.5 * first.du), static_cast<float>(first.pieces - 1)};
}

void TileBlock::place_atom(std::size_t tile, std::int64_t id, int type, const Vec3& x, const Vec3& v) {
  Vec3 at = x;
  const std::array<int, 2> grid_at = on_grid(tile);
  for (std::size_t g = 0; g < 2; ++g) {
    double& along = at[static_cast<std::size_t>(layout_.axis[g])];
    along -= layout_.corner(static_cast<int>(g), grid_at[g]);
    const double period = box_.length(layout_.axis[g]);
    if (layout_.grid.ring[g]) along -= std::nearbyint(along / period) * period;
  }
  at[2] -= layout_.middle_z;
  const auto vector = [](const Vec3& w) {
    return Vector<float>{static_cast<float>(w[0]), static_cast<float>(w[1]), static_cast<float>(w[2])};
  };
  atoms_[tile] = {id, type, vector(at), vector(v), {}};
  list_valid_ = false;
}

TileBlock::Candidate TileBlock::candidate(int dx, int dy, int layers_on) const {
  const bool straight = layout_.axis[0] == 0;
  return {candidate_offset(dx, dy, layers_on),  layers_on,
          (straight ? dx : dy) + seen_,         (straight ? dy : dx) + seen_,
          std::max(std::abs(dx), std::abs(dy)), share_of(dx, dy, shares_)};
}

}  // namespace wafermark::tungsten
