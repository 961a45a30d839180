#include "wse_emulator/fabric/star_exchange.hpp"

#include <fmt/format.h>

#include "wse_emulator/fabric/streams.hpp"
#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {

std::string StarExchange::text() const {
  return fmt::format("exchange of {} words with {} tile{} each way along both axes", words_, b_,
                     b_ == 1 ? "" : "s");
}

std::int64_t StarExchange::cycles(const FabricTiming& f, const TileGrid& grid) const {
  return marching_stage_cycles(f, b_, words_, grid.hops(0)) +
         marching_stage_cycles(f, b_, words_, grid.hops(1));
}

std::vector<ColorUse> StarExchange::colors(const TileGrid&, int first) const {
  return marching_multicast_use("", {}, first).uses;
}

void StarExchange::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  for (const Link link : {Link::east, Link::west, Link::south, Link::north})
    add_stream(
        {link}, b_, times, [&](int) { return std::int64_t{words_}; }, words);
}

}  // namespace wafermark::wse
