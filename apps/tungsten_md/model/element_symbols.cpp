#include "tungsten_md/model/element_symbols.hpp"

#include <algorithm>
#include <cmath>
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
// Standard atomic weights (IUPAC 2021, rounded; of elements without stable isotopes the longest-lived one).
constexpr double weight_table[] = {
      1.008, 4.0026,
      6.94, 9.0122, 10.81, 12.011, 14.007, 15.999, 18.998, 20.180,
      22.990, 24.305, 26.982, 28.085, 30.974, 32.06, 35.45, 39.95,
      39.098, 40.078, 44.956, 47.867, 50.942, 51.996, 54.938, 55.845, 58.933, 58.693, 63.546, 65.38, 69.723, 72.630,
      74.922, 78.971, 79.904, 83.798,
      85.468, 87.62, 88.906, 91.224, 92.906, 95.95, 97.0, 101.07, 102.91, 106.42, 107.87, 112.41, 114.82, 118.71,
      121.76, 127.60, 126.90, 131.29,
      132.91, 137.33, 138.91, 140.12, 140.91, 144.24, 145.0, 150.36, 151.96, 157.25, 158.93, 162.50, 164.93, 167.26,
      168.93, 173.05, 174.97,
      178.49, 180.95, 183.84, 186.21, 190.23, 192.22, 195.08, 196.97, 200.59, 204.38, 207.2, 208.98, 209.0, 210.0, 222.0,
      223.0, 226.0, 227.0, 232.04, 231.04, 238.03, 237.0, 244.0, 243.0, 247.0};
static_assert(std::size(weight_table) == std::size(symbol_table));
// clang-format on

}  // namespace

bool is_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string_view element_of_mass(double mass_amu) {
  for (std::size_t k = 0; k < std::size(weight_table); ++k)
    if (std::abs(mass_amu - weight_table[k]) <= 0.002 * weight_table[k]) return symbol_table[k];
  return "";
}

int atomic_number(std::string_view symbol) {
  const auto* found = std::find(std::begin(symbol_table), std::end(symbol_table), symbol);
  return found == std::end(symbol_table) ? 0 : static_cast<int>(found - std::begin(symbol_table)) + 1;
}

double standard_weight(std::string_view symbol) {
  const int z = atomic_number(symbol);
  return z == 0 ? 0.0 : weight_table[z - 1];
}

std::string_view element_symbol(int z) {
  return z < 1 || z > static_cast<int>(std::size(symbol_table)) ? "X" : symbol_table[z - 1];
}

}  // namespace wafermark::tungsten
