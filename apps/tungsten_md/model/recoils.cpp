#include "tungsten_md/model/recoils.hpp"

namespace wafermark::tungsten {

nlohmann::json recoils_to_json(const std::vector<Recoil>& recoils) {
  nlohmann::json list = nlohmann::json::array();
  for (const Recoil& r : recoils)
    list.push_back({{"atom", r.atom},
                    {"position_angstrom", r.position},
                    {"direction", r.direction},
                    {"energy_ev", r.energy_gained_ev}});
  return list;
}

std::vector<Recoil> recoils_from_json(const nlohmann::json& document) {
  std::vector<Recoil> recoils;
  for (const auto& r : document)
    recoils.push_back({r.at("atom").get<std::int64_t>(), r.at("position_angstrom").get<Vec3>(),
                       r.at("direction").get<Vec3>(), r.at("energy_ev").get<double>()});
  return recoils;
}

}  // namespace wafermark::tungsten
