#include "common/energy_meter.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "common/slurm_energy.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;

std::optional<double> first_number(const fs::path& file) {
  std::ifstream in(file);
  double x = 0.0;
  if (in >> x) return x;
  return std::nullopt;
}

class Cray final : public EnergyCounter {
 public:
  explicit Cray(fs::path file) : file_(std::move(file)) {}
  double joules() override { return last_ = first_number(file_).value_or(last_); }
  std::string covers() const override { return "whole nodes"; }

 private:
  fs::path file_;
  double last_ = 0.0;
};

class Rapl final : public EnergyCounter {
 public:
  struct Package {
    fs::path energy;
    double range_uj, last_uj, wrapped_uj;
  };
  explicit Rapl(std::vector<Package> packages) : packages_(std::move(packages)) {}
  double joules() override {
    double sum = 0.0;
    for (Package& p : packages_) {
      const double now = first_number(p.energy).value_or(p.last_uj);
      if (now < p.last_uj) p.wrapped_uj += p.range_uj;
      p.last_uj = now;
      sum += p.wrapped_uj + now;
    }
    return sum * 1e-6;
  }
  std::string covers() const override { return "CPU packages, without memory and boards"; }

 private:
  std::vector<Package> packages_;
};

}  // namespace

std::unique_ptr<EnergyCounter> cray_counter(const std::string& folder, std::string& why_not) {
  const fs::path file = fs::path(folder) / "energy";
  if (!first_number(file)) {
    why_not = fmt::format("no Cray meter ({})", file.string());
    return nullptr;
  }
  return std::make_unique<Cray>(file);
}

std::unique_ptr<EnergyCounter> rapl_counter(const std::string& folder, std::string& why_not) {
  std::error_code error;
  std::vector<Rapl::Package> packages;
  bool locked = false;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::string name;
    std::getline(std::ifstream(entry.path() / "name") >> std::ws, name);
    if (name.rfind("package", 0) != 0) continue;
    const auto now = first_number(entry.path() / "energy_uj");
    if (!now) {
      locked = true;
      continue;
    }
    packages.push_back({entry.path() / "energy_uj",
                        first_number(entry.path() / "max_energy_range_uj").value_or(0.0), *now, 0.0});
  }
  if (locked) {
    why_not = fmt::format("RAPL is there but not readable by this user ({}/*/energy_uj)", folder);
    return nullptr;
  }
  if (packages.empty()) {
    why_not = fmt::format("no RAPL package domain ({})", folder);
    return nullptr;
  }
  return std::make_unique<Rapl>(std::move(packages));
}

EnergyMeter::EnergyMeter(const Communicator& comm, const MeterPaths& paths) : comm_(comm) {
  reads_ = comm.on_this_node().is_root();

  std::string no_cray, no_rapl, no_papi, no_variorum, no_nvml, no_rocm, no_slurm;
  if (!reads_) {
    // Another rank of this node does.
  } else if (auto cray = cray_counter(paths.cray, no_cray)) {
    counters_.push_back(std::move(cray));
    source_ = "cray_pm";
  } else {
    const auto take = [&](std::unique_ptr<EnergyCounter> counter, const char* name) {
      if (!counter) return;
      source_ = counters_.empty() ? name : source_ + "+" + name;
      counters_.push_back(std::move(counter));
    };
    take(nvml_counter(paths.nvml, no_nvml), "nvml");
    if (counters_.empty()) take(rocm_smi_counter(paths.rocm_smi, no_rocm), "rocm_smi");
    if (auto rapl = rapl_counter(paths.rapl, no_rapl))
      take(std::move(rapl), "rapl");
    else if (auto papi = papi_counter(paths.papi, no_papi))
      take(std::move(papi), "papi");
    else
      take(variorum_counter(paths.variorum, no_variorum), "variorum");
  }
  if (comm_.max(counters_.empty() ? 0 : 1) == 0) {
    const std::string step = paths.slurm_step.empty() ? current_slurm_step() : paths.slurm_step;
    if (auto slurm = comm_.is_root() ? slurm_counter(step, no_slurm) : nullptr) {
      counters_.push_back(std::move(slurm));
      source_ = "slurm";
    }
    comm_.broadcast(source_);
  }
  for (const auto& counter : counters_) note_ += (note_.empty() ? "" : " and ") + counter->covers();
  if (counters_.empty())
    note_ = fmt::format("{}; {}; {}; {}; {}; {}; {}", no_cray, no_nvml, no_rocm, no_rapl, no_papi,
                        no_variorum, no_slurm);
  start_ = total();
}

EnergyMeter::~EnergyMeter() = default;

double EnergyMeter::total() {
  double sum = 0.0;
  for (auto& counter : counters_) sum += counter->joules();
  return sum;
}

void EnergyMeter::sample() {
  if (source_ != "slurm") total();  // which does not wrap, and is slow to ask
}

EnergyReading EnergyMeter::read() {
  // Rank 0 always reads its node, so it knows the meter that all nodes should have.
  std::string source = source_, note = note_;
  comm_.broadcast(source);
  comm_.broadcast(note);
  const bool differs = reads_ && source_ != source;
  const double joules = comm_.sum(reads_ ? total() - start_ : 0.0);
  const int nodes = comm_.sum(reads_ ? 1 : 0);
  if (comm_.max(differs ? 1 : 0) != 0) return {std::nullopt, "none", "nodes have different meters"};
  if (source == "none") return {std::nullopt, source, note};
  if (!(joules > 0.0)) return {std::nullopt, "none", fmt::format("{} did not move during the run", source)};
  return {joules, source, fmt::format("{}, {} node{}", note, nodes, nodes == 1 ? "" : "s")};
}

}  // namespace wafermark
