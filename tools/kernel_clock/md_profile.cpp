#include "tools/kernel_clock/md_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/deck.hpp"
#include "common/errors.hpp"
#include "tools/kernel_clock/md_word.hpp"

namespace wafermark {

using Words = MdProfile::Words;

MdWorkload MdWorkload::read(const std::string& path, const std::vector<std::string>& changes) {
  Deck deck = Deck::read(path, changes, "--workload-set");
  constexpr Range sizes{1e-6, 1e9};
  MdWorkload w;
  w.file = path;
  w.name = deck.text("name", std::nullopt, "what results call the workload");
  w.title = deck.text("title", std::nullopt, "for readers");
  w.atoms = deck.number("atoms", std::nullopt, "of the whole box", {1.0, 1e14});
  const auto box = deck.numbers("box", std::nullopt, "its edges");
  if (box.size() != 3 || !std::all_of(box.begin(), box.end(), [](double x) { return 0.0 < x && x < 1e12; }))
    deck.reject("box", "three lengths above 0");
  std::copy(box.begin(), box.end(), w.box.begin());
  const auto faces = deck.texts("boundary", std::nullopt, "of each axis");
  if (faces.size() != 3) deck.reject("boundary", "three times open or periodic");
  for (std::size_t d = 0; d < 3; ++d) {
    if (faces[d] != "open" && faces[d] != "periodic") deck.reject("boundary", "three times open or periodic");
    w.periodic[d] = faces[d] == "periodic";
  }
  const auto planes =
      deck.numbers("planes", std::vector<double>{0, 0, 0}, "of a crystal across each axis, 0: spread evenly");
  if (planes.size() != 3 || !std::all_of(planes.begin(), planes.end(),
                                         [](double n) { return n >= 0 && n <= 1e8 && n == std::floor(n); }))
    deck.reject("planes", "three whole numbers from 0");
  for (std::size_t d = 0; d < 3; ++d) w.planes[d] = static_cast<int>(planes[d]);
  w.cutoff = deck.number("cutoff", std::nullopt, "of the potential", sizes);
  w.skin = deck.number("skin", std::nullopt, "of the neighbour list", {0.0, 1e9});
  w.neighbours = deck.number("neighbours", std::nullopt, "of an atom within cut-off and skin", {0.0, 1e6});
  w.steps_of_a_list = deck.number("steps_of_a_list", std::nullopt, "from one list to the next", {1.0, 1e9});
  deck.text("source", std::nullopt, "where the numbers come from");
  deck.text("potential", std::nullopt, "for results");
  deck.text("deck", "", "of this project for the same atoms, for results");
  deck.finish();
  return w;
}

MdProfile MdProfile::read(const std::string& path) {
  Deck deck = Deck::read(path, {}, "--profile-set");
  MdProfile p;
  p.file = path;
  p.name = deck.text("name", std::nullopt, "what results call the profile");
  p.title = deck.text("title", std::nullopt, "for readers");
  p.half_list = deck.choice("neighbour_list", std::nullopt, {"full", "half"}, "pairs of a list") == "half";
  const auto ranks = deck.numbers("ranks", std::vector<double>{0, 0, 0}, "along each axis, 0: chosen");
  if (ranks.size() != 3 || !std::all_of(ranks.begin(), ranks.end(),
                                        [](double n) { return n >= 0 && n <= 1e6 && n == std::floor(n); }))
    deck.reject("ranks", "three whole numbers from 0");
  for (std::size_t d = 0; d < 3; ++d) p.ranks[d] = static_cast<int>(ranks[d]);
  const std::array<std::pair<const char*, Words MdProfile::*>, 16> lists{
      {{"begin", &MdProfile::begin},
       {"positions", &MdProfile::positions},
       {"positions_alone", &MdProfile::positions_alone},
       {"leave", &MdProfile::leave},
       {"migrate_axis", &MdProfile::migrate_axis},
       {"migrate", &MdProfile::migrate},
       {"migrate_end", &MdProfile::migrate_end},
       {"borders", &MdProfile::borders},
       {"list", &MdProfile::list},
       {"first_pass", &MdProfile::first_pass},
       {"values_back", &MdProfile::values_back},
       {"second_pass", &MdProfile::second_pass},
       {"values", &MdProfile::values},
       {"third_pass", &MdProfile::third_pass},
       {"forces_back", &MdProfile::forces_back},
       {"end", &MdProfile::end}}};
  for (const auto& [key, member] : lists) {
    const std::string full = fmt::format("work.{}", key);
    p.*member = deck.texts(full, Words{}, "what is done, one word of the profile each");
    for (const std::string& word : p.*member) try {
        parse_md_word(word);
      } catch (const InputError& e) {
        deck.reject(full, e.what());
      }
  }
  deck.finish();
  return p;
}

}  // namespace wafermark
