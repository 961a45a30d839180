#include "tungsten_md/dynamics/dose_protocol.hpp"

#include "tungsten_md/kernels/random.hpp"

namespace wafermark::tungsten {

PkaSettings DoseProtocol::next_recoil(std::uint64_t seed) const {
  const auto words = random_words(seed, static_cast<std::uint64_t>(fired_), 0, Stream::dose);
  PkaSettings recoil;
  recoil.energy_ev = settings_.spectrum.energy_ev(uniform(words[0]), uniform(words[1]));
  recoil.random_site = true;
  recoil.element = settings_.recoil_element;
  recoil.type = settings_.recoil_type;
  return recoil;
}

void DoseProtocol::begin_hot(double time_ps) {
  phase_ = Phase::hot;
  since_ps_ = time_ps;
  settled_ = false;
  ++fired_;
}

bool DoseProtocol::asks_for_hottest(std::int64_t step) const {
  return phase_ == Phase::hot && step % look_interval == 0;
}

void DoseProtocol::advance(double time_ps, std::int64_t step, double hottest_ev) {
  settled_ = false;
  const double lasted = time_ps - since_ps_;
  if (asks_for_hottest(step)) {
    const bool cool = lasted >= settings_.least_hot_ps && hottest_ev <= settings_.hot_energy_ev;
    if (!cool && lasted < settings_.most_hot_ps) return;
    phase_ = Phase::rest;
    since_ps_ = time_ps;
  } else if (phase_ == Phase::rest && lasted >= settings_.rest_ps) {
    phase_ = Phase::wait;
    due_ps_ = time_ps;
    settled_ = true;
  }
}

std::map<std::string, double> DoseProtocol::numbers() const {
  return {{"dose_phase", static_cast<double>(phase_)},
          {"dose_fired", static_cast<double>(fired_)},
          {"dose_due_ps", due_ps_},
          {"dose_since_ps", since_ps_},
          {"dose_settled", settled_ ? 1.0 : 0.0}};
}

void DoseProtocol::resume(const std::map<std::string, double>& numbers) {
  if (!on()) return;
  phase_ = static_cast<Phase>(static_cast<int>(numbers.at("dose_phase")));
  fired_ = static_cast<std::int64_t>(numbers.at("dose_fired"));
  due_ps_ = numbers.at("dose_due_ps");
  since_ps_ = numbers.at("dose_since_ps");
  settled_ = numbers.at("dose_settled") != 0.0;
}

}  // namespace wafermark::tungsten
