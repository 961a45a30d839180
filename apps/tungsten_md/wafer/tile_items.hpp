// How much there is to do on each tile of the machine, this rank's, row by row. An atom has one tile, or a
// patch of two by two, whose first, the north-western, moves it.
#pragma once

#include <vector>

namespace wafermark::tungsten {

struct TileItems {
  std::vector<int> working;     ///< 1 on all tiles of an atom
  std::vector<int> atoms;       ///< 1 on the tile that moves the atom
  std::vector<int> candidates;  ///< that the tile compares
  std::vector<int> listed;      ///< entries of its list that serves several steps: of an atom's, dealt evenly
  std::vector<int> neighbours;  ///< whose density it adds: within the cut-off, or all listed (untested_lists)
  std::vector<int> entered;     ///< into its list: neighbours, or all that are listed
  std::vector<int> pairs;       ///< whose force it computes
  std::vector<int> partners;    ///< neighbours of the atom, on the tile that moves it
  std::vector<int> fast,
      slow;  ///< 1 on the tile that moves an atom which stopping slows; one which it does not
  std::vector<int> bathed, unbathed;  ///< likewise, in the heat bath and out of it

  explicit TileItems(std::size_t tiles) {
    for (auto* list : {&working, &atoms, &candidates, &listed, &neighbours, &entered, &pairs, &partners,
                       &fast, &slow, &bathed, &unbathed})
      list->assign(tiles, 0);
  }
};

}  // namespace wafermark::tungsten
