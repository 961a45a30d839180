// Potential files and stopping tables.
#include <fmt/format.h>

#include "tests/fuzz/target.hpp"
#include "tungsten_md/dynamics/electronic_stopping.hpp"
#include "tungsten_md/model/potential_file.hpp"

namespace wafermark::fuzz {
namespace {

constexpr int points = 8;

/// `count` tables of a few numbers, five a line.
std::string tables(int count) {
  std::string text;
  for (int table = 0; table < count; ++table)
    for (int k = 0; k < points; ++k)
      text += fmt::format("{:.3e}{}", 0.1 * k + table, k % 5 == 4 || k + 1 == points ? "\n" : " ");
  return text + "\n";
}

const std::string setfl_head = "first\nsecond\nthird\n";

std::string setfl(int elements, int density_tables, const char* behind_cutoff = "") {
  std::string text = setfl_head + (elements == 1 ? "1 W\n" : "2 W He\n") +
                     fmt::format("{0} 0.1 {0} 0.5 3.5{1}\n", points, behind_cutoff);
  for (int e = 0; e < elements; ++e)
    text += (e == 0 ? "74 183.84 3.165 bcc\n" : "2 4.0026 0.0 fcc\n") + tables(1 + density_tables);
  return text + tables(elements * (elements + 1) / 2);
}

Target potential(const std::string& name, const std::string& file, std::vector<std::string> seeds) {
  return {name, file, [](const Communicator&, const std::string& path) { tungsten::read_potential(path); },
          [seeds](const Communicator&, const std::string&) { return seeds; }};
}

const Register alloy(potential("setfl", "p.eam.alloy", {setfl(1, 1), setfl(2, 1)}));
const Register finnis_sinclair(potential("eam_fs", "p.eam.fs", {setfl(1, 1), setfl(2, 2)}));
const Register helium(potential("eam_he", "p.eam.he", {setfl(1, 1, " 0.4"), setfl(2, 2, " 0.4")}));
const Register funcfl(potential("funcfl", "p.eam",
                                {fmt::format("made up\n74 183.84 3.165 bcc\n{0} 0.1 {0} 0.5 3.5\n", points) +
                                 tables(3)}));

/// A 2B and a 3B block of one element.
std::string uf3() {
  const std::string head = "#UF3 POT UNITS: metal DATE: now AUTHOR: made up CITATION:\n";
  std::string text =
      head + "2B W W 0 3 uk\n4 9\n1 1 1 1 2.5 4 4 4 4\n5\n5 4 0 0 0\n#\n" + head +
      "3B W W W 0 3 nk\n6 3 3 8 8 8\n1 1 1 1 6 6 6 6\n1 1 1 1 3 3 3 3\n1 1 1 1 3 3 3 3\n4 4 4\n";
  for (int row = 0; row < 16; ++row) text += row == 0 ? "0.1 0.2 0.3 0.4\n" : "0 0 0 0\n";
  return text + "#\n";
}
const Register splines(potential("uf3", "p.uf3", {uf3()}));

const Register stopping({"stopping", "W.stopping",
                         [](const Communicator&, const std::string& path) {
                           tungsten::read_stopping_table(path);
                         },
                         [](const Communicator&, const std::string&) {
                           return std::vector<std::string>{"# eV eV/Angstrom\n10 0.5\n100 1.5\n1000 5\n"};
                         }});

}  // namespace
}  // namespace wafermark::fuzz
