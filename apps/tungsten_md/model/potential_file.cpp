#include "tungsten_md/model/potential_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "common/text_input.hpp"
#include "tungsten_md/model/element_symbols.hpp"
#include "tungsten_md/model/potential_text.hpp"
#include "tungsten_md/model/uf3_file.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct Header {
  int nrho, nr;
  double drho, dr, cutoff;
};

constexpr const char* finnis_sinclair = "eam/fs";
constexpr const char* helium_in_metals = "eam/he";  // eam/fs whose embedding tables begin below 0

Header read_header(PotentialText& in) {
  Header h{};
  h.nrho = in.count("the number of density points", 5);
  h.drho = in.positive("the density step");
  h.nr = in.count("the number of distance points", 5);
  h.dr = in.positive("the distance step");
  h.cutoff = in.positive("the cut-off");
  if (h.cutoff > h.nr * h.dr * (1.0 + 1e-9))
    in.fail(fmt::format("a cut-off of {}", h.cutoff),
            fmt::format("at most {}, where the table ends", h.nr * h.dr));
  return h;
}

PotentialTables::Element read_element(PotentialText& in, const std::string& symbol) {
  PotentialTables::Element e;
  e.symbol = symbol;
  e.atomic_number = in.count("an atomic number", 0);
  e.mass_amu = in.positive("a mass");
  // LAMMPS ignores the rest of the line, and some files lack it.
  if (in.line_has_more()) e.lattice_constant_angstrom = in.number("a lattice constant");
  if (in.line_has_more()) e.lattice = in.word("a lattice name");
  std::transform(e.lattice.begin(), e.lattice.end(), e.lattice.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return e;
}

/// setfl and eam/fs differ in the number of density tables of an element: one, or one for each neighbour.
/// eam/he is eam/fs with the largest density of the embedding tables behind the cut-off.
PotentialTables read_setfl(const std::string& path, const std::string& format) {
  const bool one_density = format == "eam/alloy";
  PotentialText in(path);
  PotentialTables t;
  t.source = path;
  t.format = format;
  for (int k = 0; k < 3; ++k) t.comments.push_back(in.comment_line());
  const auto n = static_cast<std::size_t>(in.count("the number of elements", 1));
  if (n > 100) in.fail(std::to_string(n), "at most 100 elements");
  std::vector<std::string> symbols;
  for (std::size_t a = 0; a < n; ++a) symbols.push_back(in.word("the symbol of an element"));
  const Header h = read_header(in);
  if (format == helium_in_metals) {
    if (!in.line_has_more()) in.fail("five numbers", "a sixth, the largest density of an eam/he table");
    t.least_density = in.number("the largest density") - (h.nrho - 1) * h.drho;
  }
  t.nrho = h.nrho;
  t.drho = h.drho;
  t.nr = h.nr;
  t.dr = h.dr;
  t.cutoff_angstrom = h.cutoff;
  t.density.assign(n, std::vector<std::vector<double>>(n));
  t.r_phi = t.density;
  for (std::size_t a = 0; a < n; ++a) {
    t.elements.push_back(read_element(in, symbols[a]));
    t.embedding.push_back(in.table(h.nrho, "embedding energy of " + symbols[a]));
    if (!one_density) {
      // Element a's block holds what its atoms lay at atoms of each element b.
      for (std::size_t b = 0; b < n; ++b)
        t.density[b][a] = in.table(h.nr, fmt::format("density of {} at {}", symbols[a], symbols[b]));
    } else {
      const auto rho = in.table(h.nr, "density of " + symbols[a]);
      for (std::size_t b = 0; b < n; ++b) t.density[b][a] = rho;
    }
  }
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b <= a; ++b)
      t.r_phi[a][b] = t.r_phi[b][a] =
          in.table(h.nr, fmt::format("pair table of {} and {}", symbols[a], symbols[b]));
  in.require_end();
  return t;
}

struct Funcfl {
  Header header;
  PotentialTables::Element element;
  std::string comment;
  std::vector<double> embedding, charge, density;
};

Funcfl read_funcfl(const std::string& path, const std::string& symbol) {
  PotentialText in(path);
  Funcfl f;
  f.comment = in.comment_line();
  f.element = read_element(in, symbol);
  f.header = read_header(in);
  f.embedding = in.table(f.header.nrho, "embedding energy");
  f.charge = in.table(f.header.nr, "effective charge");
  f.density = in.table(f.header.nr, "density");
  in.require_end();
  return f;
}

/// Four-point Lagrange interpolation at x of samples `step` apart, as PairEAM::file2array of LAMMPS does.
double interpolate(const std::vector<double>& f, double step, double x) {
  const double position = x / step + 1.0;
  int k = static_cast<int>(position);
  k = std::max(2, std::min(k, static_cast<int>(f.size()) - 2));
  const double p = std::min(position - k, 2.0);
  const double c1 = -p * (p - 1.0) * (p - 2.0) / 6.0, c2 = 0.5 * (p * p - 1.0) * (p - 2.0);
  const double c3 = -0.5 * p * (p + 1.0) * (p - 2.0), c4 = p * (p * p - 1.0) / 6.0;
  const auto at = static_cast<std::size_t>(k) - 1;  // k counts from 1
  return c1 * f[at - 1] + c2 * f[at] + c3 * f[at + 1] + c4 * f[at + 2];
}

/// Common grids of several funcfl files and their mixed pairs, r phi = 27.2 * 0.529 Z_a Z_b, as LAMMPS does:
/// the coarsest step and the longest range, one sample short of the files'.
PotentialTables merge_funcfl(const std::vector<Funcfl>& files, const std::string& source) {
  PotentialTables t;
  t.source = source;
  t.format = "funcfl";
  double rmax = 0.0, rhomax = 0.0;
  for (const auto& f : files) {
    t.comments.push_back(f.comment);
    t.elements.push_back(f.element);
    t.dr = std::max(t.dr, f.header.dr);
    t.drho = std::max(t.drho, f.header.drho);
    rmax = std::max(rmax, (f.header.nr - 1) * f.header.dr);
    rhomax = std::max(rhomax, (f.header.nrho - 1) * f.header.drho);
    t.cutoff_angstrom = std::max(t.cutoff_angstrom, f.header.cutoff);
  }
  t.nr = static_cast<int>(rmax / t.dr + 0.5);
  t.nrho = static_cast<int>(rhomax / t.drho + 0.5);
  const auto resample = [](const std::vector<double>& f, double step, int n, double new_step) {
    std::vector<double> values;
    for (int m = 0; m < n; ++m) values.push_back(interpolate(f, step, m * new_step));
    return values;
  };
  const std::size_t n = files.size();
  t.density.assign(n, std::vector<std::vector<double>>(n));
  t.r_phi = t.density;
  std::vector<std::vector<double>> charge;
  for (std::size_t a = 0; a < n; ++a) {
    const Header& h = files[a].header;
    t.embedding.push_back(resample(files[a].embedding, h.drho, t.nrho, t.drho));
    charge.push_back(resample(files[a].charge, h.dr, t.nr, t.dr));
    const auto rho = resample(files[a].density, h.dr, t.nr, t.dr);
    for (std::size_t b = 0; b < n; ++b) t.density[b][a] = rho;
  }
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b)
      for (std::size_t m = 0; m < static_cast<std::size_t>(t.nr); ++m)
        t.r_phi[a][b].push_back(units::hartree_ev_lammps * units::bohr_angstrom_lammps * charge[a][m] *
                                charge[b][m]);
  return t;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// The tables of the given elements, in their order; an element may serve several types.
PotentialTables select_elements(const PotentialTables& all, const std::vector<std::string>& elements) {
  PotentialTables t = all;
  std::vector<std::size_t> from;
  for (const auto& symbol : elements) {
    const int k = all.element_index(symbol);
    if (k < 0) {
      std::string known;
      for (const auto& e : all.elements) known += (known.empty() ? "" : ", ") + e.symbol;
      throw InputError(
          fmt::format("{}: found no element '{}', expected one of {}", all.source, symbol, known));
    }
    from.push_back(static_cast<std::size_t>(k));
  }
  const std::size_t n = from.size();
  t.elements.clear();
  t.embedding.clear();
  t.density.assign(n, std::vector<std::vector<double>>(n));
  t.r_phi = t.density;
  for (std::size_t a = 0; a < n; ++a) {
    t.elements.push_back(all.elements[from[a]]);
    t.embedding.push_back(all.embedding[from[a]]);
    for (std::size_t b = 0; b < n; ++b) {
      t.density[a][b] = all.density[from[a]][from[b]];
      t.r_phi[a][b] = all.r_phi[from[a]][from[b]];
    }
  }
  return t;
}

/// The format that the ending of a name tells, or nothing.
std::string format_of_name(const std::string& path) {
  const std::string name = without_compression(path);
  for (const char* end : {".fs", ".Finnis-Sinclair"})
    if (name.ends_with(end)) return finnis_sinclair;
  if (name.ends_with(".he")) return helium_in_metals;
  for (const char* end : {".alloy", ".setfl", ".set"})
    if (name.ends_with(end)) return "eam/alloy";
  for (const char* end : {".eam", ".funcfl"})
    if (name.ends_with(end)) return "funcfl";
  if (name.ends_with(".uf3")) return uf3_format;
  return "";
}

}  // namespace

std::string potential_format(const std::string& path, const std::string& format) {
  const std::string named = format_of_name(path);
  if (format == "auto") {
    if (!named.empty()) return named;
    throw InputError(
        fmt::format("{}: found a name that tells no format, expected .eam.alloy, .eam.fs, .eam.he, .eam or "
                    ".uf3, or the format by name",
                    path));
  }
  if (format != "eam/alloy" && format != finnis_sinclair && format != helium_in_metals &&
      format != "funcfl" && format != uf3_format)
    throw InputError(fmt::format("{}: format '{}': expected auto, eam/alloy, eam/fs, eam/he, funcfl or uf3",
                                 path, format));
  // Tables of one element look alike in setfl and eam/fs: only the name tells. All kinds go by the name .eam.
  if (!named.empty() && named != "funcfl" && named != format)
    throw InputError(fmt::format("{}: found a name of format {}, expected one of {}, the format asked for",
                                 path, named, format));
  return format;
}

PotentialTables read_potential(const std::string& path, const std::string& format,
                               const std::vector<std::string>& elements) {
  const std::string kind = potential_format(path, format);
  if (elements.empty())
    throw InputError(path + ": found no elements for the atom types, expected one for each type");
  if (kind == uf3_format) return read_uf3(path, elements);
  if (kind != "funcfl") return select_elements(read_setfl(path, kind), elements);
  const std::vector<std::string> paths = split(path);
  if (paths.size() != elements.size())
    throw InputError(fmt::format("{}: found {} funcfl files for {} elements, expected one for each", path,
                                 paths.size(), elements.size()));
  std::vector<Funcfl> files;
  for (std::size_t k = 0; k < paths.size(); ++k) files.push_back(read_funcfl(paths[k], elements[k]));
  return merge_funcfl(files, path);
}

PotentialTables read_potential(const std::string& path, const std::string& format) {
  const std::string kind = potential_format(path, format);
  if (kind == "funcfl") {
    Funcfl f = read_funcfl(path, "X");
    f.element.symbol = element_symbol(f.element.atomic_number);  // the format holds no symbol
    return merge_funcfl({f}, path);
  }
  if (kind == uf3_format) return read_uf3(path, {});
  return read_setfl(path, kind);
}

}  // namespace wafermark::tungsten
