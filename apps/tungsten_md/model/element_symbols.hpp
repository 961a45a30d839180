#pragma once

#include <string_view>

namespace wafermark::tungsten {

/// Nuclear charge of a chemical symbol ("W": 74); 0 when there is no such element.
int atomic_number(std::string_view symbol);

}  // namespace wafermark::tungsten
