// Streams of a stage, which patterns are made of: along every row or column, one tile of every patch of
// tiles, the first on the way, sends words and a command to the tiles of its place in the b patches ahead.
#pragma once

#include <cstdint>
#include <functional>

#include "wse_emulator/fabric/collisions.hpp"

namespace wafermark::wse {

class LinkWords;

struct Stream {
  Link direction;
  bool gathers = false;  ///< runs backwards: sums flow to the tiles, as many as had been senders
};

/// Adds the words of a stream, `times` over; words_of(x): those of a sender at place x of its row, without
/// command.
void add_stream(const Stream& stream, int b, std::int64_t times,
                const std::function<std::int64_t(int x)>& words_of, LinkWords& words);

}  // namespace wafermark::wse
