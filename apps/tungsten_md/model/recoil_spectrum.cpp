#include "tungsten_md/model/recoil_spectrum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double largest_energy_ev = 1e9;

/// Three numbers of a line; throws where it holds something else.
RecoilSpectrum::Bin bin_of(const std::string& line, const std::string& place) {
  std::istringstream words(line);
  RecoilSpectrum::Bin bin;
  const bool three = static_cast<bool>(words >> bin.low_ev >> bin.high_ev >> bin.share);
  if (!three || !(words >> std::ws).eof() || !(bin.low_ev >= 0.0) || !(bin.high_ev > bin.low_ev) ||
      !(bin.high_ev <= largest_energy_ev) || !(bin.share >= 0.0) || !std::isfinite(bin.share))
    throw InputError(
        fmt::format("{}: found '{}', expected low energy, high energy (eV, at most {:g}) and the recoils in "
                    "between, none negative",
                    place, printable(line.substr(0, 80)), largest_energy_ev));
  return bin;
}

}  // namespace

double RecoilSpectrum::energy_ev(double which, double where) const {
  const auto bin = std::find_if(bins.begin(), bins.end(), [&](const Bin& b) { return which <= b.share; });
  const Bin& chosen = bin == bins.end() ? bins.back() : *bin;
  return chosen.low_ev + where * (chosen.high_ev - chosen.low_ev);
}

double RecoilSpectrum::largest_ev() const { return bins.back().high_ev; }

RecoilSpectrum read_recoil_spectrum(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw InputError(fmt::format("{}: cannot be read, expected a spectrum of recoils", path));
  RecoilSpectrum spectrum;
  double sum = 0.0;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string place = fmt::format("{}:{}", path, ++number);
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const RecoilSpectrum::Bin bin = bin_of(line, place);
    if (!spectrum.bins.empty() && bin.low_ev < spectrum.bins.back().high_ev)
      throw InputError(
          fmt::format("{}: found a bin from {} eV, expected at least {}, where the one before "
                      "ends",
                      place, bin.low_ev, spectrum.bins.back().high_ev));
    sum += bin.share;
    if (bin.share > 0.0) spectrum.bins.push_back({bin.low_ev, bin.high_ev, sum});
  }
  if (spectrum.bins.empty() || !std::isfinite(sum))
    throw InputError(fmt::format("{}: found {}, expected a spectrum of recoils", path,
                                 spectrum.bins.empty() ? "no recoils" : "a sum that is not finite"));
  for (RecoilSpectrum::Bin& bin : spectrum.bins) bin.share /= sum;
  spectrum.bins.back().share = 1.0;
  return spectrum;
}

}  // namespace wafermark::tungsten
