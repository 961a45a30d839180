#include "tungsten_md/wafer/placement/column_search.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <random>

namespace wafermark::tungsten {

namespace {

using Tile = std::array<int, 2>;

/// Calls visit(distance) for each pair of a column once: k' > k, and of an atom and its own copies one side.
template <class Visit>
void for_each_pair(const ColumnInteractions& interactions, const std::vector<Tile>& tile_of, int p, int q,
                   Visit visit) {
  for (int k = 0; k < interactions.size(); ++k)
    for (const ColumnPartner& partner : interactions.partners[k]) {
      if (partner.atom < k) continue;
      const int dx = tile_of[partner.atom][0] - tile_of[k][0], dy = tile_of[partner.atom][1] - tile_of[k][1];
      for (const auto& [cx, cy] : interactions.shift_sets[partner.shifts])
        if (partner.atom > k || cx > 0 || (cx == 0 && cy > 0))
          visit(std::max(std::abs(dx + p * cx), std::abs(dy + q * cy)));
    }
}

/// The cost of an assignment under a weight of the pairs' distances, and what a swap of two tiles changes.
class WeightedColumn {
 public:
  WeightedColumn(const ColumnInteractions& interactions, int p, int q, const std::vector<Tile>& tile_of,
                 const std::function<double(int)>& weight)
      : interactions_(interactions), p_(p), q_(q), width_(2 * p - 1), tile_of_(tile_of) {
    occupant_.assign(static_cast<std::size_t>(p) * q, -1);
    for (int k = 0; k < interactions.size(); ++k) occupant_[tile_of[k][1] * p + tile_of[k][0]] = k;
    // Weight of all column offsets together, for every difference of two tiles in the rectangle.
    for (const auto& shifts : interactions.shift_sets) {
      std::vector<double>& table = tables_.emplace_back();
      for (int dy = 1 - q; dy < q; ++dy)
        for (int dx = 1 - p; dx < p; ++dx) {
          double sum = 0.0;
          for (const auto& [cx, cy] : shifts)
            sum += weight(std::max(std::abs(dx + p * cx), std::abs(dy + q * cy)));
          table.push_back(sum);
        }
    }
  }

  int tiles() const { return p_ * q_; }
  const std::vector<Tile>& tile_of() const { return tile_of_; }

  /// Swaps the contents of two tiles; returns the change of cost.
  double swap(int s, int t) {
    const double before = local(s, t);
    exchange(s, t);
    return local(s, t) - before;
  }
  void exchange(int s, int t) {
    std::swap(occupant_[s], occupant_[t]);
    for (int tile : {s, t})
      if (occupant_[tile] >= 0) tile_of_[occupant_[tile]] = {tile % p_, tile / p_};
  }
  bool empty(int s, int t) const { return occupant_[s] < 0 && occupant_[t] < 0; }

 private:
  double local(int s, int t) const { return of_atom(occupant_[s], -1) + of_atom(occupant_[t], occupant_[s]); }
  /// Weight of atom k's pairs within the column and beyond, without the partner `skipped` and its own copies.
  double of_atom(int k, int skipped) const {
    if (k < 0) return 0.0;
    double sum = 0.0;
    for (const ColumnPartner& partner : interactions_.partners[k]) {
      if (partner.atom == k || partner.atom == skipped) continue;
      const int dx = tile_of_[partner.atom][0] - tile_of_[k][0],
                dy = tile_of_[partner.atom][1] - tile_of_[k][1];
      sum += tables_[partner.shifts][(dy + q_ - 1) * width_ + dx + p_ - 1];
    }
    return sum;
  }

  const ColumnInteractions& interactions_;
  int p_, q_, width_;
  std::vector<Tile> tile_of_;
  std::vector<int> occupant_;  // -1: no atom
  std::vector<std::vector<double>> tables_;
};

/// Atoms in the order (group of basis sites, height) on tiles in bands: `bands` slices of the rectangle along
/// one axis, each filled layer by layer across the slice.
std::vector<Tile> banded_start(const ColumnInteractions& interactions, int sites_per_cell, int p, int q,
                               int bands, bool along_x) {
  const int n = interactions.size();
  const int length = along_x ? p : q;
  std::vector<Tile> tiles;
  for (int x = 0; x < p; ++x)
    for (int y = 0; y < q; ++y) tiles.push_back({x, y});
  std::stable_sort(tiles.begin(), tiles.end(), [&](const Tile& s, const Tile& t) {
    const auto key = [&](const Tile& u) {
      const int across = along_x ? u[0] : u[1], other = along_x ? u[1] : u[0];
      return std::array<int, 3>{across * bands / length, other, across};
    };
    return key(s) < key(t);
  });
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int k, int m) {
    return (k % sites_per_cell) * bands / sites_per_cell < (m % sites_per_cell) * bands / sites_per_cell;
  });
  std::vector<Tile> tile_of(n);
  for (int i = 0; i < n; ++i) tile_of[order[i]] = tiles[i];
  return tile_of;
}

/// Of swaps in a descent: a column of 30 atoms ends before, one of hundreds would take minutes.
constexpr int most_tries = 50'000;
/// Times the atoms of a column, of better assignments that are measured in a round.
constexpr std::int64_t most_measured = 10'000'000;
/// Times the ways in which a column's atoms lie on its tiles: more swaps only come back to the same ones.
constexpr double most_visits = 20.0;

/// Ways to lay n atoms on so many tiles.
double ways_to_lie(int n, int tiles) {
  double ways = 1.0;
  for (int k = 0; k < n; ++k) ways *= tiles - k;
  return ways;
}

std::vector<Tile> descend(const ColumnInteractions& interactions, int p, int q,
                          const std::vector<Tile>& start) {
  WeightedColumn column(interactions, p, q, start, [](int d) { return std::pow(d, 8); });
  bool improved = true;
  int tries = 0;
  for (int sweep = 0; improved && sweep < 50; ++sweep) {
    improved = false;
    for (int s = 0; s < column.tiles(); ++s)
      for (int t = s + 1; t < column.tiles(); ++t) {
        if (column.empty(s, t)) continue;
        if (++tries > most_tries) return column.tile_of();
        if (column.swap(s, t) < -0.5)  // weights are whole numbers
          improved = true;
        else
          column.exchange(s, t);
      }
  }
  return column.tile_of();
}

}  // namespace

ColumnReach measure(const ColumnInteractions& interactions, const std::vector<Tile>& tile_of, int p, int q) {
  ColumnReach reach;
  for_each_pair(interactions, tile_of, p, q, [&](int d) {
    if (d > reach.b) reach = {d, 0};
    if (d == reach.b) ++reach.pairs_at_b;
  });
  return reach;
}

LeastReach::LeastReach(const ColumnInteractions& interactions, int atoms_of_tile) {
  std::size_t most = 0;
  for (int k = 0; k < interactions.size(); ++k) {
    std::size_t count = 0;
    for (const ColumnPartner& partner : interactions.partners[k]) {
      const auto& shifts = interactions.shift_sets[partner.shifts];
      count += shifts.size();
      if (partner.atom != k) continue;
      for (const auto& [cx, cy] : shifts) {
        columns_x_ = std::max(columns_x_, std::abs(cx));
        columns_y_ = std::max(columns_y_, std::abs(cy));
      }
    }
    most = std::max(most, count);
  }
  const auto square = [&](std::size_t b) {
    return (2 * b + 1) * (2 * b + 1) * static_cast<std::size_t>(atoms_of_tile);
  };
  while (square(static_cast<std::size_t>(for_partners_)) < most + 1) ++for_partners_;
}

int LeastReach::on(int p, int q) const { return std::max({for_partners_, p * columns_x_, q * columns_y_}); }

ColumnAssignment search_assignment(const ColumnInteractions& interactions, int sites_per_cell, int p, int q,
                                   std::int64_t swaps) {
  ColumnAssignment best;
  const auto consider = [&](const std::vector<Tile>& tile_of) {
    const ColumnReach reach = measure(interactions, tile_of, p, q);
    if (best.tile_of.empty() || reach < best.reach) best = {tile_of, reach};
  };
  for (bool along_x : {false, true})
    for (int bands = 1; bands <= sites_per_cell; bands *= 2) {
      const auto start = banded_start(interactions, sites_per_cell, p, q, bands, along_x);
      consider(start);
      consider(descend(interactions, p, q, start));
    }

  std::mt19937_64 random(20240717);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  constexpr int rounds = 4;
  const auto most_swaps = static_cast<std::int64_t>(
      std::min(static_cast<double>(swaps), most_visits * ways_to_lie(interactions.size(), p * q)));
  for (int round = 0; round < rounds && p * q > 1; ++round) {
    const int threshold = best.reach.b - 1;
    WeightedColumn column(interactions, p, q, best.tile_of, [&](int d) {
      return d <= threshold ? 0.0 : 1.0 + (d - threshold - 1) * (d - threshold);
    });
    double cost = 0.0, least = 0.0;  // relative to the round's start
    const std::int64_t steps = most_swaps / rounds;
    std::int64_t measured = 0;
    constexpr double hot = 3.0, cold = 0.15;  // in pairs beyond the threshold
    for (std::int64_t step = 0; step < steps; ++step) {
      const int s = static_cast<int>(random() % column.tiles()),
                t = static_cast<int>(random() % column.tiles());
      if (s == t || column.empty(s, t)) continue;
      const auto temperature = [&] {
        return hot * std::pow(cold / hot, static_cast<double>(step) / static_cast<double>(steps));
      };
      const double change = column.swap(s, t);
      if (change > 0.0 && uniform() >= std::exp(-change / temperature())) {
        column.exchange(s, t);
        continue;
      }
      cost += change;
      if (cost < least) {
        least = cost;
        measured += interactions.size();
        consider(column.tile_of());
        if (measured > most_measured) break;
        if (best.reach.b <= threshold) break;  // met: the next round lowers the threshold
      }
    }
  }
  return best;
}

}  // namespace wafermark::tungsten
