// Primary knock-ons that were made, as results and checkpoints hold them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

/// [{"atom", "position_angstrom", "direction", "energy_ev"}, ...]
nlohmann::json recoils_to_json(const std::vector<Recoil>& recoils);
/// Back, to the last bit. Throws nlohmann::json::exception when it is something else.
std::vector<Recoil> recoils_from_json(const nlohmann::json& document);

}  // namespace wafermark::tungsten
