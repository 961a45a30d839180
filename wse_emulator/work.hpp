// What the tiles of a phase do: sections, to how many items, or to what a stream brings them step by step.
// The app fills the lists, the executors read them.
#pragma once

#include <cstdint>
#include <vector>

#include "wse_emulator/section.hpp"

namespace wafermark::wse {

/// Of each of a phase's tiles, row by row, or the product of a number of its row and one of its column.
/// Refers to lists that must outlive it; they are read when the phase has done what it does to the data.
class Items {
 public:
  Items(const std::vector<int>& of_tiles) : of_tiles_(&of_tiles) {}  // NOLINT: a list is what items are
  Items(const std::vector<int>& of_rows, const std::vector<int>& of_columns)
      : of_rows_(&of_rows), of_columns_(&of_columns) {}

  bool by_tile() const { return of_tiles_ != nullptr; }
  const std::vector<int>& of_tiles() const { return *of_tiles_; }
  /// Of the tile at this row and column of the phase's tiles.
  std::int64_t at(int row, int column, int width) const {
    const auto r = static_cast<std::size_t>(row), c = static_cast<std::size_t>(column);
    if (by_tile()) return (*of_tiles_)[r * static_cast<std::size_t>(width) + c];
    return std::int64_t{(*of_rows_)[r]} * (*of_columns_)[c];
  }
  /// Of the first, which stands for all when a program is priced before it runs.
  std::int64_t front() const { return at(0, 0, 1); }

 private:
  const std::vector<int>*of_tiles_ = nullptr, *of_rows_ = nullptr, *of_columns_ = nullptr;
};

/// A section, done to so many items on each tile. Both are read when the phase has done what it does to the
/// data, and must outlive the program.
class Work {
 public:
  Work(const Section& section, Items items) : one_(&section), items_(items) {}
  /// A section for each row of the phase's tiles.
  Work(const std::vector<Section>& of_rows, Items items) : of_rows_(&of_rows), items_(items) {}

  const Section& section(int row = 0) const {
    return one_ != nullptr ? *one_ : (*of_rows_)[static_cast<std::size_t>(row)];
  }
  const Items& items() const { return items_; }

 private:
  const Section* one_ = nullptr;
  const std::vector<Section>* of_rows_ = nullptr;
  Items items_;
};

/// Work that tiles do to the words of a stream as these come, in steps: each takes so many words from the
/// fabric, and the tile then does the step's items and what every step takes.
struct Steps {
  int words = 1;  ///< that a step takes
  /// Items of all steps of this rank's tiles, row by row; tile t's are [first[t], first[t + 1]).
  std::vector<int> items;
  std::vector<std::int64_t> first{0};
  std::vector<int> always;  ///< items of every step, by tile

  std::size_t tiles() const { return first.size() - 1; }
};

/// Work done to a stream: `each` to a step's items, `always` to what every step has.
struct StreamWork {
  const Section &each, &always;
  const Steps& steps;
};

}  // namespace wafermark::wse
