#include "tungsten_md/analysis/dose.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {

DoseModel::DoseModel(const Case& what, const PotentialTables& potential)
    : before_dpa_(what.dose.before_dpa),
      threshold_ev_(what.dose.threshold_ev),
      tungsten_(what.potential.elements == std::vector<std::string>{"W"}) {
  if (what.dynamics.stopping.kind == StoppingSettings::Kind::none || potential.elements.size() != 1) return;
  const auto& element = potential.elements.front();
  if (const int z = atomic_number(element.symbol); z > 0)
    losses_ = LindhardRobinson::of(z, element.mass_amu, z, element.mass_amu);
}

double DoseModel::damage_energy(double recoil_energy_ev) const {
  return losses_ ? losses_->damage_energy(recoil_energy_ev) : recoil_energy_ev;
}

Dose DoseModel::of(const std::vector<Recoil>& recoils, std::int64_t inserted_pairs,
                   std::int64_t atoms) const {
  const double n = static_cast<double>(atoms);
  Dose dose;
  dose.events = inserted_pairs + static_cast<std::int64_t>(recoils.size());
  double nrt = static_cast<double>(inserted_pairs), arc = 0.0;
  for (const Recoil& r : recoils) {
    const double energy = damage_energy(r.energy_gained_ev);
    nrt += nrt_displacements(energy, threshold_ev_);
    arc += tungsten_arc_dpa.displacements(energy);
  }
  dose.dpa = before_dpa_ + nrt / n;
  if (tungsten_ && inserted_pairs == 0) dose.dpa_arc = arc / n;
  return dose;
}

double DoseModel::displacements_of_a_recoil(const RecoilSpectrum& spectrum) const {
  constexpr int places = 64;  // of a bin
  double sum = 0.0, below = 0.0;
  for (const RecoilSpectrum::Bin& bin : spectrum.bins) {
    for (int k = 0; k < places; ++k) {
      const double energy = bin.low_ev + (bin.high_ev - bin.low_ev) * (k + 0.5) / places;
      sum += (bin.share - below) / places * nrt_displacements(damage_energy(energy), threshold_ev_);
    }
    below = bin.share;
  }
  return sum;
}

std::optional<DoseLength> length_of_dose(const Case& what, const PotentialTables& potential,
                                         std::int64_t atoms) {
  const DoseSettings& d = what.dose;
  if (d.method != DoseSettings::Method::recoils || !std::isfinite(d.stop_dpa)) return std::nullopt;
  const double each = DoseModel(what, potential).displacements_of_a_recoil(d.spectrum);
  const double recoils = std::ceil((d.stop_dpa - d.before_dpa) * static_cast<double>(atoms) / each);
  if (!(recoils < 1e15)) return std::nullopt;  // a spectrum that displaces nothing never ends
  DoseLength length;
  length.recoils = std::max(std::int64_t{0}, static_cast<std::int64_t>(recoils));
  length.least_ps_each = d.least_hot_ps + d.rest_ps;
  length.most_ps_each = d.most_hot_ps + d.rest_ps;
  length.least_ps = d.first_ps + static_cast<double>(length.recoils) * length.least_ps_each;
  length.most_ps = d.first_ps + static_cast<double>(length.recoils) * length.most_ps_each;
  return length;
}

bool is_saturated(const std::vector<double>& pairs_at_rest, std::int64_t events, double change) {
  const auto n = static_cast<std::int64_t>(pairs_at_rest.size()), half = events / 2;
  if (events < 2 || n < events) return false;
  const auto mean = [&](std::int64_t from) {
    const auto begin = pairs_at_rest.begin() + from;
    return std::accumulate(begin, begin + half, 0.0) / static_cast<double>(half);
  };
  const double first = mean(n - 2 * half), second = mean(n - half);
  return std::abs(second - first) <= change * std::abs(first);
}

}  // namespace wafermark::tungsten
