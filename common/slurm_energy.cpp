#include "common/slurm_energy.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

namespace wafermark {
namespace {

/// What a command prints; empty when it fails.
std::string output_of(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return "";
  std::string text;
  char part[4096];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe)) text.append(part, n);
  return pclose(pipe) == 0 ? text : "";
}

/// The site's plugin, as "acct_gather_energy/ipmi"; empty when there is none.
std::string energy_plugin() {
  std::istringstream lines(output_of("scontrol show config"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key, equals, value;
    words >> key >> equals >> value;
    if (key == "AcctGatherEnergyType")
      return value == "(null)" || value == "acct_gather_energy/none" ? "" : value;
  }
  return "";
}

std::optional<double> consumed_joules(const std::string& step) {
  std::istringstream text(
      output_of(fmt::format("sstat --noheader --parsable2 --format=ConsumedEnergyRaw --jobs={}", step)));
  double joules = 0.0;
  if (text >> joules) return joules;
  return std::nullopt;
}

class Slurm final : public EnergyCounter {
 public:
  Slurm(std::string step, std::string plugin, double joules)
      : step_(std::move(step)), plugin_(std::move(plugin)), last_(joules) {}
  double joules() override { return last_ = consumed_joules(step_).value_or(last_); }
  std::string covers() const override { return fmt::format("what Slurm's {} counts", plugin_); }

 private:
  std::string step_, plugin_;
  double last_;
};

}  // namespace

std::string current_slurm_step() {
  const char *job = std::getenv("SLURM_JOB_ID"), *step = std::getenv("SLURM_STEP_ID");
  return job != nullptr && step != nullptr ? fmt::format("{}.{}", job, step) : "";
}

std::unique_ptr<EnergyCounter> slurm_counter(const std::string& step, std::string& why_not) {
  if (step.empty()) {
    why_not = "not a step of Slurm";
    return nullptr;
  }
  const std::string plugin = energy_plugin();
  if (plugin.empty()) {
    why_not = "Slurm accounts no energy (AcctGatherEnergyType)";
    return nullptr;
  }
  const auto joules = consumed_joules(step);
  if (!joules) {
    why_not = fmt::format("sstat tells no energy of step {}", step);
    return nullptr;
  }
  return std::make_unique<Slurm>(step, plugin, *joules);
}

}  // namespace wafermark
