#include "tungsten_md/commands/model_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/lennard_jones.hpp"

namespace wafermark::tungsten {
namespace {

std::vector<std::string> all_models() {
  auto models = analytic_models();
  models.emplace_back(lennard_jones_name);
  return models;
}

}  // namespace

CLI::Option* ModelOptions::add_to(CLI::App& command) {
  const auto add_length = [&](const char* name, double& value, const char* meaning) {
    command.add_option(name, value, fmt::format("{}: {}", lennard_jones_name, meaning))
        ->check(number_in({0, 1e3, true}));
  };
  auto* model =
      command.add_option("--model", model_, fmt::format("analytic: {}", fmt::join(all_models(), " or ")))
          ->check(one_of(all_models()));
  command
      .add_option("--epsilon", constants_.epsilon_ev,
                  fmt::format("{}: depth of the well, eV", lennard_jones_name))
      ->check(number_in({0, 1e6, true}));
  add_length("--sigma", constants_.sigma_angstrom, "where the pair energy is zero, Angstrom");
  add_length("--cutoff", constants_.cutoff_angstrom, "cut-off, Angstrom (2.5 sigma)");
  command.add_flag("--shifted", constants_.shifted,
                   fmt::format("{}: the pair energy is zero at the cut-off", lennard_jones_name));
  return model;
}

void ModelOptions::check() const {
  const LennardJones& c = constants_;
  if (model_ == lennard_jones_name) {
    if (c.epsilon_ev == 0.0 || c.sigma_angstrom == 0.0)
      throw InputError(fmt::format("--model {}: found no {}, expected --epsilon and --sigma", model_,
                                   c.epsilon_ev == 0.0 ? "--epsilon" : "--sigma"));
  } else if (c.epsilon_ev != 0.0 || c.sigma_angstrom != 0.0 || c.cutoff_angstrom != 0.0 || c.shifted) {
    throw InputError(fmt::format("--{}: expected --model {} beside it",
                                 c.epsilon_ev != 0.0       ? "epsilon"
                                 : c.sigma_angstrom != 0.0 ? "sigma"
                                 : c.shifted               ? "shifted"
                                                           : "cutoff",
                                 lennard_jones_name));
  }
}

PotentialTables ModelOptions::make(const std::vector<std::string>& elements) const {
  check();
  if (model_ != lennard_jones_name) return make_analytic_potential(model_, elements);
  LennardJones c = constants_;
  if (c.cutoff_angstrom == 0.0) c.cutoff_angstrom = usual_cutoff(c.sigma_angstrom);
  return make_lennard_jones(c, elements);
}

}  // namespace wafermark::tungsten
