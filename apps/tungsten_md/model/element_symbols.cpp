#include "tungsten_md/model/element_symbols.hpp"

#include <algorithm>
#include <iterator>

namespace wafermark::tungsten {

namespace {

// clang-format off
constexpr std::string_view symbol_table[] = {
      "H", "He",
      "Li", "Be", "B", "C", "N", "O", "F", "Ne",
      "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar",
      "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr",
      "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe",
      "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
      "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn",
      "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm"};
// clang-format on

}  // namespace

int atomic_number(std::string_view symbol) {
  const auto* found = std::find(std::begin(symbol_table), std::end(symbol_table), symbol);
  return found == std::end(symbol_table) ? 0 : static_cast<int>(found - std::begin(symbol_table)) + 1;
}

std::string_view element_symbol(int z) {
  return z < 1 || z > static_cast<int>(std::size(symbol_table)) ? "X" : symbol_table[z - 1];
}

}  // namespace wafermark::tungsten
