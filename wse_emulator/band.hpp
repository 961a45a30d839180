// How sure a prediction of a wafer is: what becomes of it when the machine's numbers move within their
// ranges.
#pragma once

#include <functional>

#include "common/band.hpp"
#include "wse_emulator/machine.hpp"

namespace wafermark::wse {

using wafermark::Band;
using wafermark::Influence;

/// The band of predict(machine) > 0, a time or an energy; see common/band.hpp.
Band band_of(const Machine& machine, const std::function<double(const Machine&)>& predict);

}  // namespace wafermark::wse
