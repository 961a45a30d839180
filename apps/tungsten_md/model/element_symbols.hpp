#pragma once

#include <string_view>

namespace wafermark::tungsten {

/// Nuclear charge of a chemical symbol ("W": 74); 0 when there is no such element.
int atomic_number(std::string_view symbol);

/// Standard atomic weight of a chemical symbol, amu; 0 when there is no such element.
double standard_weight(std::string_view symbol);

/// The symbol of a nuclear charge; "X" when there is no such element.
std::string_view element_symbol(int atomic_number);

/// Whether files can call an element or a type so: printable ASCII, since every format that is written holds
/// that. No name at all ("") is one too.
bool is_name(std::string_view text);

/// The symbol of the element of this standard atomic weight, within 0.2 %; empty when there is none.
std::string_view element_of_mass(double mass_amu);

}  // namespace wafermark::tungsten
