#include "wse_emulator/band.hpp"

namespace wafermark::wse {

Band band_of(const Machine& machine, const std::function<double(const Machine&)>& predict) {
  return wafermark::band_of(machine.quantities, predict(machine), [&](const std::string& key, double value) {
    return predict(machine.with(key, value));
  });
}

}  // namespace wafermark::wse
