#include "tungsten_md/analysis/gas.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace wafermark::tungsten {
namespace {

constexpr std::array<std::string_view, 6> gases{"H", "He", "Ne", "Ar", "Kr", "Xe"};

bool is_gas(const std::string& symbol) {
  return std::find(gases.begin(), gases.end(), symbol) != gases.end();
}

void append(Atoms& to, const Atoms& from, std::size_t i) {
  to.id.push_back(from.id[i]);
  to.type.push_back(from.type[i]);
  to.x.push_back(from.x[i]);
  to.v.push_back(from.v[i]);
}

}  // namespace

std::vector<char> gas_types(const std::vector<std::string>& elements) {
  std::vector<char> gas;
  for (const std::string& symbol : elements) gas.push_back(is_gas(symbol) ? 1 : 0);
  if (std::find(gas.begin(), gas.end(), 0) == gas.end()) std::fill(gas.begin(), gas.end(), 0);
  return gas;
}

AtomsApart apart(const Configuration& configuration) {
  const std::vector<char> gas = gas_types(configuration.elements);
  const Atoms& atoms = configuration.atoms;
  AtomsApart parts;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const auto type = static_cast<std::size_t>(atoms.type[i]);
    append(type < gas.size() && gas[type] != 0 ? parts.gas : parts.crystal, atoms, i);
  }
  return parts;
}

}  // namespace wafermark::tungsten
