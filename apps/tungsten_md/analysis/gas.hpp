// Gas in a crystal: light and noble atoms lie between the sites or in vacancies, and are no
// self-interstitials.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Of each type, whether it is gas in a crystal of the others: H, He, Ne, Ar, Kr or Xe where there is another
/// element. A crystal of such atoms alone has no gas.
std::vector<char> gas_types(const std::vector<std::string>& elements);

/// The atoms of a configuration, apart.
struct AtomsApart {
  Atoms crystal, gas;
};
AtomsApart apart(const Configuration& configuration);

}  // namespace wafermark::tungsten
