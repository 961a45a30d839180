#include "tungsten_md/model/potential_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/errors.hpp"
#include "tungsten_md/model/element_symbols.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int largest_table = 10'000'000;

/// Words of a text file, with the line they stand on.
class Words {
 public:
  explicit Words(const std::string& path) : path_(path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
      throw InputError(fmt::format("{}: found a folder, expected a potential file", path));
    in_.open(path);
    if (!in_) throw InputError(fmt::format("{}: cannot be read, expected a potential file", path));
  }

  /// The rest of the current line, or the next one.
  std::string line(const std::string& what) {
    if (!std::getline(in_, text_)) {
      ++number_;
      fail("the end of the file", what);
    }
    ++number_;
    if (text_.find('\0') != std::string::npos) fail("binary data", what);
    if (!text_.empty() && text_.back() == '\r') text_.pop_back();
    at_ = text_.size();
    return text_;
  }

  std::string word(const std::string& what) {
    for (;;) {
      while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
      if (at_ < text_.size()) break;
      line(what);
      at_ = 0;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && !std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  double number(const std::string& what) {
    std::string w = word(what);
    std::replace_if(
        w.begin(), w.end(), [](char c) { return c == 'D' || c == 'd'; }, 'e');  // Fortran
    double x = 0.0;
    const char* begin = w.data() + (w[0] == '+' ? 1 : 0);
    const auto [end, error] = std::from_chars(begin, w.data() + w.size(), x);
    // Out of range is too small (1e-400 is 0 for us) or too large; only strtod tells which.
    if (error == std::errc::result_out_of_range) x = std::strtod(begin, nullptr);
    const bool number = error == std::errc() || error == std::errc::result_out_of_range;
    if (!number || end != w.data() + w.size() || !std::isfinite(x)) fail('\'' + w + '\'', what);
    return x;
  }

  int count(const std::string& what, int least) {
    const double x = number(what);
    if (x != std::floor(x) || x < least || x > largest_table)
      fail(fmt::format("{}", x), fmt::format("{}, from {} to {}", what, least, largest_table));
    return static_cast<int>(x);
  }

  double positive(const std::string& what) {
    const double x = number(what);
    if (!(x > 0.0)) fail(fmt::format("{}", x), what + " above 0");
    return x;
  }

  std::vector<double> numbers(int n, const std::string& what) {
    std::vector<double> values(static_cast<std::size_t>(n));
    for (int k = 0; k < n; ++k)
      values[static_cast<std::size_t>(k)] =
          number(k == 0 ? what : fmt::format("{} {} of {}", what, k + 1, n));
    return values;
  }

  [[noreturn]] void fail(const std::string& found, const std::string& expected) const {
    throw InputError(fmt::format("{}:{}: found {}, expected {}", path_, number_, found, expected));
  }

 private:
  std::string path_, text_;
  std::ifstream in_;
  std::size_t at_ = 0;
  int number_ = 0;
};

struct Header {
  int nrho, nr;
  double drho, dr, cutoff;
};

Header read_header(Words& in) {
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

PotentialTables::Element read_element(Words& in, const std::string& symbol) {
  PotentialTables::Element e;
  e.symbol = symbol;
  e.atomic_number = in.count("an atomic number", 0);
  e.mass_amu = in.positive("a mass");
  e.lattice_constant_angstrom = in.number("a lattice constant");
  e.lattice = in.word("a lattice name");
  std::transform(e.lattice.begin(), e.lattice.end(), e.lattice.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return e;
}

/// setfl and eam/fs differ in the number of density tables of an element: one, or one for each neighbour.
PotentialTables read_setfl(const std::string& path, bool finnis_sinclair) {
  Words in(path);
  PotentialTables t;
  t.source = path;
  t.format = finnis_sinclair ? "eam/fs" : "eam/alloy";
  for (int k = 0; k < 3; ++k) t.comments.push_back(in.line("a comment line"));
  const auto n = static_cast<std::size_t>(in.count("the number of elements", 1));
  if (n > 100) in.fail(std::to_string(n), "at most 100 elements");
  std::vector<std::string> symbols;
  for (std::size_t a = 0; a < n; ++a) symbols.push_back(in.word("the symbol of an element"));
  const Header h = read_header(in);
  t.nrho = h.nrho;
  t.drho = h.drho;
  t.nr = h.nr;
  t.dr = h.dr;
  t.cutoff_angstrom = h.cutoff;
  t.density.assign(n, std::vector<std::vector<double>>(n));
  t.r_phi = t.density;
  for (std::size_t a = 0; a < n; ++a) {
    t.elements.push_back(read_element(in, symbols[a]));
    t.embedding.push_back(in.numbers(h.nrho, "embedding energy of " + symbols[a]));
    if (finnis_sinclair) {
      // Element a's block holds what its atoms lay at atoms of each element b.
      for (std::size_t b = 0; b < n; ++b)
        t.density[b][a] = in.numbers(h.nr, fmt::format("density of {} at {}", symbols[a], symbols[b]));
    } else {
      const auto rho = in.numbers(h.nr, "density of " + symbols[a]);
      for (std::size_t b = 0; b < n; ++b) t.density[b][a] = rho;
    }
  }
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b <= a; ++b)
      t.r_phi[a][b] = t.r_phi[b][a] =
          in.numbers(h.nr, fmt::format("pair table of {} and {}", symbols[a], symbols[b]));
  return t;
}

struct Funcfl {
  Header header;
  PotentialTables::Element element;
  std::string comment;
  std::vector<double> embedding, charge, density;
};

Funcfl read_funcfl(const std::string& path, const std::string& symbol) {
  Words in(path);
  Funcfl f;
  f.comment = in.line("a comment line");
  f.element = read_element(in, symbol);
  f.header = read_header(in);
  f.embedding = in.numbers(f.header.nrho, "embedding energy");
  f.charge = in.numbers(f.header.nr, "effective charge");
  f.density = in.numbers(f.header.nr, "density");
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

bool ends_with(const std::string& s, const char* end) {
  const std::string_view e(end);
  return s.size() >= e.size() && s.compare(s.size() - e.size(), e.size(), e) == 0;
}

}  // namespace

std::string potential_format(const std::string& path, const std::string& format) {
  if (format != "auto") return format;
  for (const char* end : {".eam.fs", ".fs", ".Finnis-Sinclair"})
    if (ends_with(path, end)) return "eam/fs";
  for (const char* end : {".eam.alloy", ".alloy", ".setfl", ".set"})
    if (ends_with(path, end)) return "eam/alloy";
  for (const char* end : {".eam", ".funcfl"})
    if (ends_with(path, end)) return "funcfl";
  throw InputError(fmt::format(
      "{}: found a name that tells no format, expected .eam.alloy, .eam.fs or .eam, or the format by name",
      path));
}

PotentialTables read_potential(const std::string& path, const std::string& format,
                               const std::vector<std::string>& elements) {
  const std::string kind = potential_format(path, format);
  if (elements.empty())
    throw InputError(path + ": found no elements for the atom types, expected one for each type");
  if (kind == "eam/alloy" || kind == "eam/fs")
    return select_elements(read_setfl(path, kind == "eam/fs"), elements);
  if (kind != "funcfl")
    throw InputError(
        fmt::format("{}: format '{}': expected auto, eam/alloy, eam/fs or funcfl", path, format));
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
  return read_setfl(path, kind == "eam/fs");
}

}  // namespace wafermark::tungsten
