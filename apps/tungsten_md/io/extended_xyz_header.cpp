#include "tungsten_md/io/extended_xyz_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <sstream>
#include <vector>

namespace wafermark::tungsten {
namespace {

using Keys = std::map<std::string, std::string>;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

char closing(char opening) {
  switch (opening) {
    case '{':
      return '}';
    case '[':
      return ']';
    default:
      return opening;  // quotes
  }
}

Keys keys_of(const TextFile& file) {
  const std::string& line = file.line();
  Keys keys;
  for (std::size_t at = 0; at < line.size();) {
    at = std::min(line.find_first_not_of(" \t\r", at), line.size());
    const std::size_t name_end = std::min(line.find_first_of("= \t\r", at), line.size());
    const std::string name = lower(line.substr(at, name_end - at));
    at = name_end;
    if (at >= line.size() || line[at] != '=') {
      if (!name.empty()) keys.emplace(name, "T");  // a flag
      continue;
    }
    std::size_t begin = at + 1, end = 0;
    if (begin < line.size() && std::string_view("\"'{[").find(line[begin]) != std::string_view::npos) {
      const char last = closing(line[begin]);
      // "[[a, b], [c, d]]": up to the bracket that a blank or the end follows.
      end = line.find(last, begin + 1);
      while (end != std::string::npos && end + 1 < line.size() && line[begin] == '[' &&
             std::string_view(" \t\r").find(line[end + 1]) == std::string_view::npos)
        end = line.find(last, end + 1);
      if (end == std::string::npos)
        file.fail(TextFile::quoted(line.substr(begin)), fmt::format("a closing {}", last));
      ++begin;
      at = end + 1;
    } else {
      at = end = std::min(line.find_first_of(" \t\r", begin), line.size());
    }
    keys[name] = line.substr(std::min(begin, line.size()), end - std::min(begin, end));
  }
  return keys;
}

std::vector<std::string> words_of(std::string text) {
  for (char& c : text)
    if (std::string_view(",[]{}\"'").find(c) != std::string_view::npos) c = ' ';
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

double number_of(const TextFile& file, const std::string& word, const char* what) {
  double value = 0.0;
  const char* begin = word.data() + (word.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
    file.fail(TextFile::quoted(word), what);
  return value;
}

template <std::size_t N>
std::array<double, N> numbers_of(const TextFile& file, const std::string& text, const char* what) {
  const auto words = words_of(text);
  if (words.size() != N) file.fail(TextFile::quoted(text), what);
  std::array<double, N> values;
  for (std::size_t k = 0; k < N; ++k) values[k] = number_of(file, words[k], what);
  return values;
}

void read_box(const TextFile& file, const Keys& keys, Box& box) {
  const auto lattice = keys.find("lattice");
  if (lattice == keys.end())
    file.fail("no Lattice=\"...\" on the comment line", "one: plain XYZ says nothing of the box");
  const auto m = numbers_of<9>(file, lattice->second, "Lattice=\"ax ay az bx by bz cx cy cz\"");
  if (const auto origin = keys.find("origin"); origin != keys.end())
    box.lo = numbers_of<3>(file, origin->second, "Origin=\"x y z\"");
  for (std::size_t d = 0; d < 3; ++d) {
    const double length = m[4 * d];
    for (std::size_t k = 0; k < 3; ++k)
      if (k != d && !Box::is_rounding(m[3 * d + k], length))
        file.fail("a triclinic or turned box", "an orthogonal box along x, y and z");
    if (!(length > 0.0)) file.fail(TextFile::quoted(lattice->second), "edges above 0");
    box.hi[d] = box.lo[d] + length;
  }
  const auto pbc = keys.find("pbc");
  if (pbc == keys.end()) return;  // with a Lattice: periodic
  const auto flags = words_of(pbc->second);
  for (std::size_t d = 0; d < 3; ++d) {
    const std::string flag = flags.size() == 3 ? lower(flags[d]) : "";
    const bool yes = flag == "t" || flag == "true" || flag == "1",
               no = flag == "f" || flag == "false" || flag == "0";
    if (!yes && !no) file.fail(TextFile::quoted(pbc->second), "pbc=\"T T F\" or alike");
    box.periodic[d] = yes;
  }
}

/// "species:S:1:pos:R:3:..."
void read_columns(const TextFile& file, const std::string& properties, ExtendedXyzHeader& h) {
  using Species = ExtendedXyzHeader::Species;
  std::vector<std::string> parts;
  std::istringstream stream(properties);
  for (std::string part; std::getline(stream, part, ':');) parts.push_back(part);
  if (parts.empty() || parts.size() % 3 != 0)
    file.fail(TextFile::quoted(properties), "Properties=name:type:columns:...");
  for (std::size_t k = 0; k < parts.size(); k += 3) {
    const std::string name = lower(parts[k]), type = parts[k + 1];
    const double width = number_of(file, parts[k + 2], "a number of columns from 1 to 1000");
    if (!(width >= 1 && width <= 1000 && width == std::floor(width)))
      file.fail(TextFile::quoted(parts[k + 2]), "a number of columns from 1 to 1000");
    const std::size_t at = h.columns;
    h.columns += static_cast<std::size_t>(width);
    const bool vector = width == 3.0 && (type == "R" || type == "I");
    if (name == "species" || name == "element" || name == "elements" || name == "symbols") {
      h.species = at;
      h.species_kind = Species::symbol;
    } else if ((name == "type" || name == "types") && h.species_kind == Species::none) {
      h.species = at;
      h.species_kind = type == "S" ? Species::symbol : Species::number;
    } else if ((name == "z" || name == "numbers" || name == "atomic_numbers") &&
               h.species_kind == Species::none) {
      h.species = at;
      h.species_kind = Species::atomic_number;
    } else if ((name == "pos" || name == "position" || name == "positions") && vector) {
      h.x = at;
    } else if ((name == "velo" || name == "vel" || name == "velocity" || name == "velocities") && vector) {
      h.v = at;
    } else if (name == "id" && type == "I" && width == 1.0) {
      h.id = at;
    } else if (name == "momenta") {
      h.momenta = true;
    }
  }
  if (h.x == ExtendedXyzHeader::absent)
    file.fail(TextFile::quoted(properties), "pos:R:3 among the Properties");
}

}  // namespace

ExtendedXyzHeader ExtendedXyzHeader::parse(const TextFile& file) {
  const Keys keys = keys_of(file);
  const auto value = [&](const char* key) {
    const auto at = keys.find(key);
    return at == keys.end() ? std::string() : at->second;
  };
  ExtendedXyzHeader h;
  read_box(file, keys, h.box);
  const std::string properties = value("properties");
  read_columns(file, properties.empty() ? "species:S:1:pos:R:3" : properties, h);
  if (const auto time = value("time"); !time.empty()) h.time_ps = number_of(file, time, "a time");
  const std::string step = value("step").empty() ? value("timestep") : value("step");
  if (!step.empty()) {
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), h.step);
    if (error != std::errc{} || end != step.data() + step.size())
      file.fail(TextFile::quoted(step), "a time step");
  }
  return h;
}

}  // namespace wafermark::tungsten
