#include "tungsten_md/model/potential_writer.hpp"

#include <fmt/format.h>

#include <iterator>
#include <stdexcept>

#include "common/durable_file.hpp"
#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

void append(std::string& text, const std::vector<double>& samples) {
  for (std::size_t k = 0; k < samples.size(); ++k)
    fmt::format_to(std::back_inserter(text), "{:.16e}{}", samples[k],
                   k % 5 == 4 || k + 1 == samples.size() ? '\n' : ' ');
}

}  // namespace

void write_potential(const std::string& path, const PotentialTables& t) {
  t.require_tables("to write");
  const bool he = path.ends_with(".he"), fs = he || path.ends_with(".fs");
  if (t.least_density && !he)
    throw InputError(fmt::format("{}: found densities from {} on, expected a name that ends in .eam.he", path,
                                 *t.least_density));
  const std::size_t n = t.elements.size();
  std::string text;
  for (std::size_t k = 0; k < 3; ++k)
    text += (k < t.comments.size() ? t.comments[k]
             : k + 1 == 3          ? "written by tungsten_md from " + t.source
                                   : "#") +
            '\n';
  text += std::to_string(n);
  for (const auto& e : t.elements) text += ' ' + e.symbol;
  fmt::format_to(std::back_inserter(text), "\n{} {:.17g} {} {:.17g} {:.17g}", t.nrho, t.drho, t.nr, t.dr,
                 t.cutoff_angstrom);
  text += he ? fmt::format(" {:.17g}\n", t.largest_density()) : "\n";
  for (std::size_t a = 0; a < n; ++a) {
    const auto& e = t.elements[a];
    fmt::format_to(std::back_inserter(text), "{} {:.17g} {:.17g} {}\n", e.atomic_number, e.mass_amu,
                   e.lattice_constant_angstrom, e.lattice);
    append(text, t.embedding[a]);
    for (std::size_t b = 0; b < n; ++b) {
      if (fs)
        append(text, t.density[b][a]);
      else if (t.density[b][a] != t.density[0][a])
        throw InputError(path +
                         ": setfl has one density for each element, expected .eam.fs for these tables");
    }
    if (!fs) append(text, t.density[0][a]);
  }
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b <= a; ++b) append(text, t.r_phi[a][b]);
  try {
    write_text_file(path, text);
  } catch (const std::runtime_error& e) {
    throw InputError(e.what());  // where it goes is the user's to choose
  }
}

}  // namespace wafermark::tungsten
