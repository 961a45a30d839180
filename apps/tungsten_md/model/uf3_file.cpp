#include "tungsten_md/model/uf3_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "common/errors.hpp"
#include "tungsten_md/model/element_symbols.hpp"
#include "tungsten_md/model/potential_text.hpp"
#include "tungsten_md/model/uf3.hpp"

namespace wafermark::tungsten {
namespace {

constexpr const char* block_begin = "#UF3 POT";
constexpr std::size_t most_coefficients = 10'000'000;
constexpr int most_knots = 10'000;

using Symbols = std::vector<std::string>;

/// The blocks of a file by their elements; of two like roles the one that comes first in the alphabet stands
/// first.
struct Blocks {
  Symbols elements;  ///< in the order of their first appearance
  std::string comment;
  std::map<Symbols, Uf3PairTerm> pairs;
  std::map<Symbols, Uf3TripletTerm> triplets;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : in_(path) {}

  Blocks read() {
    constexpr const char* between = "the begin of a block, '#UF3 POT ...', or the end of the file";
    while (in_.find_marker(block_begin, between)) {
      begin_block();
      const std::string kind = in_.word("2B or 3B");
      if (kind == "2B")
        read_pair();
      else if (kind == "3B")
        read_triplet();
      else
        in_.refuse(kind, "2B or 3B");
    }
    if (blocks_.pairs.empty()) in_.fail("no 2B block", "one for each pair of elements");
    return std::move(blocks_);
  }

 private:
  void begin_block() {
    const std::string& line = in_.line();
    const auto units = line.find("UNITS:");
    if (units == std::string::npos) in_.fail("a block without UNITS:", "UNITS: metal");
    std::string_view rest = std::string_view(line).substr(units + 6);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (const std::string_view name = rest.substr(0, rest.find_first_of(" \t\r")); name != "metal")
      in_.refuse(std::string(name), "metal behind UNITS:");
    if (blocks_.comment.empty()) blocks_.comment = line.substr(1, line.find_last_not_of(" \t\r"));
  }

  Symbols read_elements(std::size_t n) {
    Symbols found;
    for (std::size_t k = 0; k < n; ++k) {
      found.push_back(in_.word("the symbol of an element"));
      if (atomic_number(found.back()) == 0)
        in_.refuse(found.back(), "a chemical symbol, which tells the mass");
      if (std::find(blocks_.elements.begin(), blocks_.elements.end(), found.back()) == blocks_.elements.end())
        blocks_.elements.push_back(found.back());
    }
    return found;
  }

  /// "0 3 uk" or "0 3 nk"; whether knots are evenly spaced.
  bool read_trims() {
    constexpr const char* expected = "the trims 0 and 3 and then uk or nk, as LAMMPS takes them";
    for (const int wanted : {0, 3})
      if (in_.count(expected, 0) != wanted) in_.fail("other trims", expected);
    const std::string spacing = in_.word(expected);
    if (spacing != "uk" && spacing != "nk") in_.refuse(spacing, expected);
    in_.require_line_end("the end of this line behind uk or nk");
    return spacing == "uk";
  }

  Knots read_knots(int n, bool even, double cutoff, const std::string& what) {
    Knots knots{in_.table(n, what)};
    const std::vector<double>& t = knots.at;
    const std::size_t last = t.size() - 1;
    if (t[0] < 0.0) in_.fail(fmt::format("{} at {}", what, t[0]), "knots of at least 0");
    for (std::size_t k = 1; k < t.size(); ++k) {
      const bool end = k <= 3 || k + 3 > last;
      if (end ? t[k] != t[k - 1] : !(t[k] > t[k - 1]))
        in_.fail(fmt::format("{} {} and {} at {} and {}", what, k, k + 1, t[k - 1], t[k]),
                 end ? "four equal ones at either end" : "growing ones between the first and the last four");
    }
    const double step = t[4] - t[3];
    for (std::size_t k = 4; even && k + 3 <= last; ++k)
      if (std::abs(t[k] - t[k - 1] - step) > 1e-6 * step)
        in_.fail(fmt::format("{} {} and {} at {} and {}", what, k, k + 1, t[k - 1], t[k]),
                 fmt::format("{} apart, as the first ones are (uk), or nk", step));
    if (cutoff > t[last] * (1.0 + 1e-9) || !(cutoff > t[0]))
      in_.fail(fmt::format("{} from {} to {}", what, t[0], t[last]),
               fmt::format("the cut-off, {}, within them", cutoff));
    return knots;
  }

  int read_knot_count() {
    const int n = in_.count("a number of knots", 8);
    if (n > most_knots) in_.fail(std::to_string(n), fmt::format("at most {} knots", most_knots));
    return n;
  }

  void require_count(int found, const Knots& knots) {
    if (found != static_cast<int>(knots.functions()))
      in_.fail(fmt::format("{} coefficients", found),
               fmt::format("{}, four less than there are knots", knots.functions()));
  }

  void read_pair() {
    Symbols symbols = read_elements(2);
    const std::string name = fmt::format("{}", fmt::join(symbols, " "));
    std::sort(symbols.begin(), symbols.end());
    if (blocks_.pairs.count(symbols) > 0) in_.fail("a second 2B block of " + name, "one");
    const bool even = read_trims();
    Uf3PairTerm term;
    term.cutoff_angstrom = in_.positive("a cut-off");
    const int knots = read_knot_count();
    in_.require_line_end("a cut-off and the number of knots");
    term.knots = read_knots(knots, even, term.cutoff_angstrom, "knots of " + name);
    const int coefficients = in_.count("a number of coefficients", 4);
    in_.require_line_end("the number of coefficients");
    require_count(coefficients, term.knots);
    term.coefficients = in_.table(coefficients, "coefficients of " + name);
    blocks_.pairs.emplace(symbols, std::move(term));
  }

  void read_triplet() {
    const Symbols symbols = read_elements(3);
    const std::string name = fmt::format("{}", fmt::join(symbols, " "));
    const bool exchanged = symbols[2] < symbols[1];
    const Symbols key = exchanged ? Symbols{symbols[0], symbols[2], symbols[1]} : symbols;
    if (blocks_.triplets.count(key) > 0) in_.fail("a second 3B block of " + name, "one");
    const bool even = read_trims();
    Uf3TripletTerm term;
    const double reach = in_.positive("the cut-off of r_jk"), of_ik = in_.positive("the cut-off of r_ik");
    term.cutoff_angstrom = in_.positive("the cut-off of r_ij");
    if (of_ik != term.cutoff_angstrom || reach != 2.0 * of_ik)
      in_.fail(fmt::format("cut-offs {}, {} and {}", reach, of_ik, term.cutoff_angstrom),
               "two equal ones behind their sum, as LAMMPS takes them");
    const int n_jk = read_knot_count(), n_ik = read_knot_count(), n_ij = read_knot_count();
    in_.require_line_end("three cut-offs and three numbers of knots");
    term.jk = read_knots(n_jk, even, reach, "knots of r_jk of " + name);
    term.ik = read_knots(n_ik, even, of_ik, "knots of r_ik of " + name);
    term.ij = read_knots(n_ij, even, term.cutoff_angstrom, "knots of r_ij of " + name);
    for (const Knots* knots : {&term.ij, &term.ik, &term.jk})
      require_count(in_.count("the shape of the coefficients", 4), *knots);
    in_.require_line_end("three numbers: the shape of the coefficients");
    read_coefficients(term, name);
    if (symbols[1] == symbols[2]) require_symmetry(term, name);
    blocks_.triplets.emplace(key, exchanged ? mirrored(term) : std::move(term));
  }

  void read_coefficients(Uf3TripletTerm& term, const std::string& name) {
    const std::size_t rows = term.ij.functions() * term.ik.functions(), row = term.jk.functions();
    if (rows * row > most_coefficients)
      in_.fail(fmt::format("{} coefficients", rows * row), fmt::format("at most {}", most_coefficients));
    for (std::size_t k = 0; k < rows; ++k) {
      const auto part = in_.table(static_cast<int>(row),
                                  fmt::format("coefficients of {}, row {} of {}", name, k + 1, rows));
      term.coefficients.insert(term.coefficients.end(), part.begin(), part.end());
    }
  }

  /// Two neighbours of one element come in any order.
  void require_symmetry(const Uf3TripletTerm& term, const std::string& name) {
    double largest = 0.0, worst = 0.0;
    const bool same_knots = term.ij.at == term.ik.at;
    if (same_knots) {
      const Uf3TripletTerm other = mirrored(term);
      for (std::size_t k = 0; k < term.coefficients.size(); ++k) {
        largest = std::max(largest, std::abs(term.coefficients[k]));
        worst = std::max(worst, std::abs(term.coefficients[k] - other.coefficients[k]));
      }
    }
    if (!same_knots || worst > 1e-9 * largest)
      in_.fail(fmt::format("{} of {} that change when r_ij and r_ik are exchanged",
                           same_knots ? "coefficients" : "knots", name),
               "the same ones for two neighbours of one element");
  }

  PotentialText in_;
  Blocks blocks_;
};

Uf3Potential potential_for(const Blocks& blocks, const Symbols& types, const std::string& path) {
  Uf3Potential p;
  p.elements = types.size();
  const auto of = [&](const auto& terms, const char* kind, const Symbols& key) {
    const auto found = terms.find(key);
    if (found == terms.end())
      throw InputError(
          fmt::format("{}: found no {} block of {}, expected one", path, kind, fmt::join(key, " ")));
    return found->second;
  };
  for (const auto& a : types)
    for (const auto& b : types)
      p.pairs.push_back(of(blocks.pairs, "2B", a < b ? Symbols{a, b} : Symbols{b, a}));
  if (blocks.triplets.empty()) return p;
  std::size_t coefficients = 0;
  for (const auto& centre : types)
    for (const auto& a : types)
      for (const auto& b : types) {
        const Uf3TripletTerm term =
            of(blocks.triplets, "3B", a < b ? Symbols{centre, a, b} : Symbols{centre, b, a});
        coefficients += term.coefficients.size();
        p.triplets.push_back(b < a ? mirrored(term) : term);
        if (coefficients > most_coefficients)
          throw InputError(
              fmt::format("{}: found more than {} coefficients for {} atom types, expected fewer", path,
                          most_coefficients, types.size()));
      }
  return p;
}

}  // namespace

PotentialTables read_uf3(const std::string& path, const std::vector<std::string>& elements) {
  const Blocks blocks = Reader(path).read();
  const Symbols& types = elements.empty() ? blocks.elements : elements;
  PotentialTables t;
  t.source = path;
  t.format = uf3_format;
  t.comments = {blocks.comment};
  for (const std::string& symbol : types) {
    if (std::find(blocks.elements.begin(), blocks.elements.end(), symbol) == blocks.elements.end())
      throw InputError(fmt::format("{}: found no element '{}', expected one of {}", path, symbol,
                                   fmt::join(blocks.elements, ", ")));
    t.elements.push_back({symbol, atomic_number(symbol), standard_weight(symbol), 0.0, ""});
  }
  const Uf3Potential selected = potential_for(blocks, types, path);
  t.cutoff_angstrom = std::max(selected.pair_cutoff(), selected.triplet_cutoff());
  t.uf3 = std::make_shared<const Uf3Potential>(selected);
  return t;
}

}  // namespace wafermark::tungsten
