// A fabric pattern: words that tiles exchange, as one object that knows, from the same parameters, what data
// it moves, how long it takes, which links and colors it needs, how many words cross each link, and its text.
// Programs (program.hpp) are made of patterns and of computing.
//
// A pattern of one's own derives from Pattern. What moves its data has the form that the data need: see
// MarchingMulticast::move, AllReduce::least.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse_emulator/fabric/collisions.hpp"
#include "wse_emulator/fabric/fabric_timing.hpp"
#include "wse_emulator/tile_grid.hpp"

namespace wafermark::wse {

class LinkWords;

/// Whose words a tile needs before it can go on. layers: those of its row, or column, of its own panel and
/// the panels beside it on the way. paths: only those on the way to it, each tile by its own clock
/// (RegionPattern).
enum class After { itself, patch, neighbourhood, row, column, layers, everyone, paths };

/// What a tile does about words that come: they start tasks, or an instruction waits for them (machine file:
/// task_start_cycles, fabric_read_cycles).
enum class Receiving { tasks, blocking };

class Pattern {
 public:
  virtual ~Pattern() = default;

  /// What it is, in a few words.
  virtual std::string text() const = 0;
  virtual After after() const = 0;
  /// Of After::neighbourhood, in patches.
  virtual int reach() const { return 0; }
  /// Cycles from the moment when the last of those tiles is ready; all of them are ready together, where the
  /// clocks of each matter.
  virtual std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const = 0;
  /// Of these, until the first word is at the core of a tile beside its sender: what computes with the words
  /// can begin.
  virtual std::int64_t first_word_cycles(const FabricTiming& fabric, const TileGrid& grid) const;
  /// Tasks that its words start on a tile, one after the other.
  virtual int tasks() const { return 0; }
  /// Instructions that wait for its words on a tile instead (Receiving::blocking), one after the other.
  virtual int reads(const TileGrid&) const { return tasks(); }
  /// Tiles whose links it uses.
  virtual Block area(const TileGrid& grid) const { return {0, 0, grid.width, grid.height}; }
  /// Colors `first`, first + 1, ... on the links that it uses.
  virtual std::vector<ColorUse> colors(const TileGrid& grid, int first) const = 0;
  /// Adds what crosses the links when it runs `times` times. Collective.
  virtual void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const = 0;
};

}  // namespace wafermark::wse
